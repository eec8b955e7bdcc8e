/** Accesses the control block in the worker: the words that the page writes, and one word of the worker's own. */
import { Control } from '../protocol';

/** Reasons why the worker lets Python ask for signals, as bits of one word. */
export const enum Want {
  /** The state of the interrupt requires it, see `needsPolls`. */
  Interrupt = 1,
  /** The event loop has to turn once, so that a message can arrive. */
  Alarm = 2,
}

/** Longest wait in an engine without shared memory, in ms. Such an engine can only wait in a busy loop. */
const BUSY_WAIT_MS = 200;

/** Memory that is not shared with the page. It has the shared type, which `Atomics.wait` needs, if the engine has that type at all. */
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

  /** Sets a word to 0 if it is `value`. */
  clear(word: Control, value: number): void {
    Atomics.compareExchange(this.words, word, value, 0);
  }

  /** Notes that the request of an epoch has passed its limit. A limit of 0 means that it is interrupted for another reason. */
  noteLimit(epoch: number, limitMs: number): void {
    if (limitMs) {
      this.store(Control.LimitMs, limitMs);
      this.store(Control.TimedOut, epoch);
    }
  }

  wants(what: Want): boolean {
    return (this.words[Control.Wanted] & what) !== 0;
  }

  want(what: Want, wanted: boolean): void {
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

  /** Blocks for at most `ms`, until the page wakes the worker. Returns at once if the page has done so since `seen` was read. */
  wait(seen: number, ms: number): void {
    if (this.words.buffer instanceof ArrayBuffer) {
      const end = performance.now() + Math.min(ms, BUSY_WAIT_MS);
      while (performance.now() < end) {
        // Without shared memory, an engine has no other way to wait.
      }
      return;
    }
    Atomics.wait(this.words, Control.Wake, seen, Math.min(ms, 2 ** 31));
  }
}
