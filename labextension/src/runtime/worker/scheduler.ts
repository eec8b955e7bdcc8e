/**
 * Runs Python's callbacks, one for each message.
 *
 * Pyodide 314.0's own scheduler posts one message for each immediate callback and drains its whole queue for each message, so
 * that its backlog grows without bound once two tasks keep rescheduling themselves.
 */
import { Turns } from './turns';

/** A timer shorter than this goes through the message queue: browsers clamp nested timers to 4 ms. */
const SHORT_TIMER_MS = 2;

export interface SchedulerOptions {
  /** The event loop turns, so Python is suspended or not running. */
  onTurn: () => void;
  onError: (text: string) => void;
}

export class Scheduler {
  /** Called before the event loop calls Python. */
  beforeTurn: () => void = () => undefined;

  private readonly turns = new Turns();
  private readonly queue: (() => void)[] = [];
  /** What was scheduled while a call of Python's waits for its turn. */
  private readonly duringTurn: (() => void)[] = [];
  private isPosted = false;
  private readonly channel = new MessageChannel();

  constructor(private readonly options: SchedulerOptions) {
    this.channel.port1.onmessage = () => this.drain();
  }

  /** Whether a call of Python's waits for its turn. */
  get isTurning(): boolean {
    return this.turns.any;
  }

  schedule = (callback: () => void, timeoutMs = 0): void => {
    if (timeoutMs > SHORT_TIMER_MS) {
      setTimeout(() => {
        this.options.onTurn();
        if (this.turns.any) {
          this.queue.push(callback);
        } else {
          this.run(callback);
        }
      }, timeoutMs);
      return;
    }
    this.due.push(callback);
    this.post();
  };

  /**
   * One turn of the event loop for messages, after at most `ms`. Of Python's callbacks only those scheduled meanwhile
   * run, for the suspension itself needs them; the others wait for `tickDone`.
   */
  tick(ms = 0): Promise<void> {
    return this.turns.begin(ms);
  }

  /** Ends the wait of a `tick`: what it may wait for has come. */
  hastenTick(): void {
    this.turns.hasten();
  }

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
