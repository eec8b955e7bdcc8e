/**
 * Work that Python does ahead of need, while no request waits. Any request interrupts it.
 */

/** Ms without a request after which the work begins. */
const IDLE_MS = 300;

/** The part of a worker that is used here. */
export interface Worker {
  /** Does a part of the work. @returns whether more is left; after an interrupt it is. */
  getAhead(): Promise<boolean>;
  interrupt(): void;
}

export class Ahead {
  /** The worker that has work left; null if none has. */
  private worker: Worker | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isAtWork = false;
  private isAsked = false;

  /** A worker has work to do. */
  offer(worker: Worker): void {
    this.worker = worker;
    this.wait();
  }

  /** A request has come. Interrupts the work, which continues later. */
  giveWay(): void {
    this.isAsked = true;
    clearTimeout(this.timer);
    if (this.isAtWork) {
      this.worker?.interrupt();
    }
  }

  /** All requests have been answered. */
  rest(): void {
    this.isAsked = false;
    this.wait();
  }

  /** The worker has ended. */
  drop(): void {
    clearTimeout(this.timer);
    this.worker = null;
    this.isAtWork = false;
  }

  private wait(ms = IDLE_MS): void {
    clearTimeout(this.timer);
    if (this.worker && !this.isAsked && !this.isAtWork) {
      this.timer = setTimeout(() => void this.work(this.worker!), ms);
    }
  }

  private async work(worker: Worker): Promise<void> {
    this.isAtWork = true;
    // The end of a worker is reported elsewhere. Here it only means that there is no more work.
    const more = await worker.getAhead().catch(() => false);
    if (worker !== this.worker) {
      return;
    }
    this.isAtWork = false;
    if (more) {
      this.wait(0);
    } else {
      this.worker = null;
    }
  }
}
