/**
 * The page's side of the memory that it shares with a worker: through it a worker that runs or waits hears of
 * interrupts, and gets input and answers to its calls.
 */
import { packAnswer } from './packed_answer';
import { Control, INPUT_CALL, REPLY_BYTES, type InterruptOptions } from './protocol';

export class ControlBlock {
  /** Holds the words that `Control` names at its beginning. */
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  /** Where answers lie that are not too long for it. */
  readonly reply = new SharedArrayBuffer(REPLY_BYTES);
  private readonly words = new Int32Array(this.memory.buffer, 0, Control.Length);
  /** Answers that the worker fetches in a buffer of their own, by their calls. */
  private readonly largeAnswers = new Map<number, Uint8Array>();

  /** Epoch of the request that runs; 0 when idle. */
  get runningEpoch(): number {
    return Atomics.load(this.words, Control.Epoch);
  }

  interrupt(epoch: number, { limitMs, storm }: Required<InterruptOptions>): void {
    if (limitMs) {
      Atomics.store(this.words, Control.LimitMs, limitMs);
      Atomics.store(this.words, Control.TimedOut, epoch);
    }
    if (storm) {
      Atomics.store(this.words, Control.Storm, epoch);
    }
    Atomics.store(this.words, Control.Interrupt, epoch);
    this.wake();
  }

  /** A line for the code that waits for one. */
  input(value: string): void {
    this.put(INPUT_CALL, new TextEncoder().encode(value));
    Atomics.store(this.words, Control.InputReady, 1);
    this.wake();
  }

  /** Answers a call. The worker takes the answer to its last call only: an earlier one that nobody fetched is dropped. */
  answer(id: number, value: unknown): void {
    const packed = packAnswer(value);
    if (packed.length > REPLY_BYTES) {
      for (const earlier of this.largeAnswers.keys()) {
        if (earlier !== INPUT_CALL) {
          this.largeAnswers.delete(earlier);
        }
      }
    }
    this.put(id, packed);
    Atomics.store(this.words, Control.CallAnswered, id);
    this.wake();
  }

  /** Copies a large answer into the buffer that the worker has made for it. */
  handOver(id: number, buffer: SharedArrayBuffer): void {
    const packed = this.largeAnswers.get(id);
    this.largeAnswers.delete(id);
    if (packed) {
      new Uint8Array(buffer).set(packed);
      // The worker tells this second answer from the first by its sign.
      Atomics.store(this.words, Control.CallAnswered, -id);
      this.wake();
    }
  }

  /** Bytes of output that the page has taken, modulo 2^32. */
  setTaken(bytes: number): void {
    Atomics.store(this.words, Control.OutputTaken, bytes);
    this.wake();
  }

  private put(id: number, bytes: Uint8Array): void {
    if (bytes.length <= REPLY_BYTES) {
      new Uint8Array(this.reply).set(bytes);
    } else {
      this.largeAnswers.set(id, bytes);
    }
    Atomics.store(this.words, Control.CallLength, bytes.length);
  }

  private wake(): void {
    Atomics.add(this.words, Control.Wake, 1);
    Atomics.notify(this.words, Control.Wake);
  }
}
