/**
 * Work that Python does ahead of need, while no request waits. Any request interrupts it.
 */

/** Ms without a request before it begins. */
const IDLE_MS = 300;

/** The part of a worker that is used here. */
export interface Worker {
  /** Does some of the work. @returns whether more is left, which is also so after an interrupt. */
  getAhead(): Promise<boolean>;
  interrupt(): void;
}

export class Ahead {
  /** The worker that has work left; null when none has. */
  private worker: Worker | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isAtWork = false;
  private isAsked = false;

  /** A worker has something to do. */
  offer(worker: Worker): void {
    this.worker = worker;
    this.wait();
  }

  /** A request has come: interrupts the work, which begins again later. */
  giveWay(): void {
    this.isAsked = true;
    clearTimeout(this.timer);
    if (this.isAtWork) {
      this.worker?.interrupt();
    }
  }

  /** Every request is answered. */
  rest(): void {
    this.isAsked = false;
    this.wait();
  }

  /** The worker is gone. */
  drop(): void {
    clearTimeout(this.timer);
    this.worker = null;
    this.isAtWork = false;
  }

  private wait(): void {
    clearTimeout(this.timer);
    if (this.worker && !this.isAsked && !this.isAtWork) {
      this.timer = setTimeout(() => void this.work(this.worker!), IDLE_MS);
    }
  }

  private async work(worker: Worker): Promise<void> {
    this.isAtWork = true;
    // A worker that ended tells whoever uses it; here it only has no more work.
    const more = await worker.getAhead().catch(() => false);
    if (worker !== this.worker) {
      return;
    }
    this.isAtWork = false;
    if (more) {
      this.wait();
    } else {
      this.worker = null;
    }
  }
}
