/** The control block as the worker sees it: words that the page writes, and what the worker itself wants. */
import { Control } from '../protocol';

/** What the worker itself wants, for which Python has to ask for signals: bits of one word. */
export const enum Want {
  /** An interrupt that has to be offered again. */
  Deferred = 1,
  /** To see whether an exception was raised. */
  Verify = 2,
  /** Interrupts until the request ends. */
  Storm = 4,
  /** An interrupted cell's tasks may go on while nothing runs. */
  Watch = 8,
  /** The event loop is to turn once, so that a message can arrive. */
  Alarm = 16,
}

/** Longest wait without shared memory of any kind, ms. */
const BUSY_WAIT_MS = 200;

/** Shared by no one, but Atomics.wait accepts it, also in a page that is not isolated. */
function privateMemory(): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  } catch {
    return new WebAssembly.Memory({ initial: 1, maximum: 1 });
  }
}

export class ControlBlock {
  readonly memory: WebAssembly.Memory;
  readonly words: Int32Array;

  /** @param shared - null where the page shares no memory */
  constructor(shared: WebAssembly.Memory | null) {
    this.memory = shared ?? privateMemory();
    this.words = new Int32Array(this.memory.buffer, 0, Control.Length);
  }

  load(word: Control): number {
    return Atomics.load(this.words, word);
  }

  store(word: Control, value: number): void {
    Atomics.store(this.words, word, value);
  }

  /** Makes a word 0 where it is `value`. */
  take(word: Control, value: number): void {
    Atomics.compareExchange(this.words, word, value, 0);
  }

  /** Writes down that an epoch's time is over, where that is why it is interrupted. */
  noteLimit(epoch: number, limitMs: number): void {
    if (limitMs) {
      this.store(Control.LimitMs, limitMs);
      this.store(Control.TimedOut, epoch);
    }
  }

  wants(what: Want): boolean {
    return (this.words[Control.Wanted] & what) !== 0;
  }

  want(what: number, wanted: boolean): void {
    if (wanted) {
      this.words[Control.Wanted] |= what;
    } else {
      this.words[Control.Wanted] &= ~what;
    }
  }

  /** Whether the page or the worker wants anything. */
  get isWanted(): boolean {
    return (this.load(Control.Interrupt) | this.words[Control.Wanted]) !== 0;
  }

  /** Blocks until the page wakes the worker, unless it has done so since `seen` was read; at most `ms`. */
  wait(seen: number, ms: number): void {
    if (this.words.buffer instanceof ArrayBuffer) {
      const end = performance.now() + Math.min(ms, BUSY_WAIT_MS);
      while (performance.now() < end) {
        // An engine without shared memory of any kind has no other way to wait.
      }
      return;
    }
    Atomics.wait(this.words, Control.Wake, seen, Math.min(ms, 2 ** 31));
  }
}
