/**
 * Work that Python does ahead of need: while nothing is asked, and no longer.
 */

/** Ms of rest before it begins. */
const IDLE_MS = 300;

/** What of a worker is used. */
export interface Worker {
  /** Does some of the work. @returns whether more is left, also when an interrupt has ended it. */
  getAhead(): Promise<boolean>;
  interrupt(): void;
}

export class Ahead {
  /** Whose work is left. */
  private worker: Worker | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isAtWork = false;
  private isAsked = false;

  /** A worker has something to do. */
  offer(worker: Worker): void {
    this.worker = worker;
    this.wait();
  }

  /** Something is asked: what is being done gives way, and is begun again later. */
  giveWay(): void {
    this.isAsked = true;
    clearTimeout(this.timer);
    if (this.isAtWork) {
      this.worker?.interrupt();
    }
  }

  /** All that was asked is answered. */
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
    // Whoever uses the worker hears of its end.
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
