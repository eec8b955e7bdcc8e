/**
 * Runs the callbacks of Python's event loop, one for each message.
 *
 * Replaces the scheduler of Pyodide 314.0, which posts a message for each callback but runs its whole queue at each message.
 * When two tasks keep scheduling each other, more and more of its messages come before those of the page.
 */
import { Turns } from './turns';

/** Timers up to this length run as messages, since browsers make each nested timer last at least 4 ms. */
const SHORT_TIMER_MS = 2;

export interface SchedulerOptions {
  /** The event loop turns, so Python is suspended or does not run. */
  onTurn: () => void;
  onError: (text: string) => void;
}

export class Scheduler {
  /** Called before each callback. */
  beforeTurn: () => void = () => undefined;

  private readonly turns = new Turns();
  private readonly queue: (() => void)[] = [];
  /** Callbacks that were scheduled while a suspended call waits for a turn. */
  private readonly duringTurn: (() => void)[] = [];
  private isPosted = false;
  /** Whether the next callback that is scheduled comes before all others, and whether such a callback waits for its turn. */
  private isNextFirst = false;
  private isFirstWaiting = false;
  private readonly channel = new MessageChannel();

  constructor(private readonly options: SchedulerOptions) {
    this.channel.port1.onmessage = () => this.drain();
  }

  /** Whether a suspended call waits for a turn. */
  get isTurning(): boolean {
    return this.turns.any;
  }

  schedule = (callback: () => void, timeoutMs = 0): void => {
    if (timeoutMs > SHORT_TIMER_MS) {
      setTimeout(() => {
        this.options.onTurn();
        if (this.turns.any || this.isFirstWaiting) {
          this.queue.push(callback);
        } else {
          this.run(callback);
        }
      }, timeoutMs);
      return;
    }
    if (this.isNextFirst) {
      this.isNextFirst = false;
      this.isFirstWaiting = true;
      this.due.unshift(callback);
    } else {
      this.due.push(callback);
    }
    this.post();
  };

  /**
   * Lets the next callback that is scheduled run before all that wait. A cell has ended, and this callback sends its reply: other tasks
   * may block the event loop.
   */
  putNextFirst = (): void => {
    this.isNextFirst = true;
  };

  /**
   * Lets the event loop turn once for messages, at most `ms` later. Callbacks that were scheduled before this call wait until
   * `tickDone`. Callbacks that are scheduled after it run, since Pyodide needs them to suspend and resume Python.
   */
  tick(ms = 0): Promise<void> {
    return this.turns.begin(ms);
  }

  /** Ends the wait of each `tick` early, since a message has come for which it may be waiting. */
  hastenTick(): void {
    this.turns.hasten();
  }

  /** Ends a turn: the call that has waited with `tick` continues. */
  tickDone(): void {
    if (this.turns.end()) {
      this.queue.push(...this.duringTurn.splice(0));
    }
    if (this.queue.length) {
      this.post();
    }
  }

  private get due(): (() => void)[] {
    return this.turns.any ? this.duringTurn : this.queue;
  }

  private post(): void {
    if (!this.isPosted) {
      this.isPosted = true;
      this.channel.port2.postMessage(0);
    }
  }

  private drain(): void {
    this.isPosted = false;
    if (!this.turns.any) {
      this.options.onTurn();
    }
    const callback = this.due.shift();
    this.isFirstWaiting = false;
    if (callback) {
      this.run(callback);
    }
    if (this.due.length) {
      this.post();
    }
  }

  private run(callback: () => void): void {
    this.beforeTurn();
    try {
      callback();
    } catch (error) {
      this.options.onError(String(error));
    }
  }
}
