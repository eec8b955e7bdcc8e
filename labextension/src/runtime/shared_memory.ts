/**
 * The page's side of the memory that it shares with a worker. Through this memory a busy or waiting worker hears of interrupts,
 * and gets input and answers to its calls.
 */
import { packAnswer } from './packed_answer';
import { Control, INPUT_CALL, REPLY_BYTES, type InterruptOptions } from './protocol';

export class SharedMemory {
  /** Begins with the control block: the words that `Control` names. */
  readonly memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  /** The reply area: holds answers that are not too long for it. */
  readonly reply = new SharedArrayBuffer(REPLY_BYTES);
  private readonly words = new Int32Array(this.memory.buffer, 0, Control.Length);
  /** Long answers, which the worker fetches in a buffer of their own, by the id of the call. */
  private readonly largeAnswers = new Map<number, Uint8Array>();

  /** Epoch of the running request; 0 when idle. */
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

  /** Takes a line of input for code that waits for one. */
  input(value: string): void {
    this.put(INPUT_CALL, new TextEncoder().encode(value));
    Atomics.store(this.words, Control.InputReady, 1);
    this.wake();
  }

  /**
   * Answers a call. The worker takes only the answer to its last call, so an earlier long answer that it has not fetched is
   * dropped.
   */
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

  /** Copies a long answer into the buffer that the worker has made for it. */
  handOver(id: number, buffer: SharedArrayBuffer): void {
    const packed = this.largeAnswers.get(id);
    this.largeAnswers.delete(id);
    if (packed) {
      new Uint8Array(buffer).set(packed);
      // The sign distinguishes this second answer from the first.
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
