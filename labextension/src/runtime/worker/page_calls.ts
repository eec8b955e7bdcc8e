/**
 * Synchronous calls from the worker to the page. They go through shared memory, or else through the site's service worker, which
 * forwards any request for `api/drive` to a broadcast channel.
 */
import { fromBase64 } from '../base64';
import { unpackAnswer } from '../packed_answer';
import { Control, INPUT_CALL, REPLY_BYTES, type FromWorker, type WorkerCall } from '../protocol';
import type { InterruptController } from './control';
import { readSync } from './lazy_assets';

/** Ms that a call waits before an interrupt can end it. */
const UNINTERRUPTED_MS = 300;

/** Ms between two questions to the page whether there is room for output. */
const ROOM_MS = 50;

const decoder = new TextDecoder();

/** Thrown when an interrupt ended the wait. */
export class CallInterrupted extends Error {}

/** Turns `{"$bytes": base64}` into bytes: answers through the service worker are JSON. */
function revive(_key: string, value: unknown): unknown {
  if (value && typeof value === 'object' && '$bytes' in value) {
    return fromBase64(String(value.$bytes));
  }
  return value;
}

export class PageCalls {
  private next = 1;
  private inputResolve: ((value: string) => void) | null = null;

  constructor(
    private readonly post: (message: FromWorker) => void,
    private readonly interrupts: () => InterruptController,
    private readonly reply: SharedArrayBuffer | null,
    private readonly channel: { url: string; id: string } | null,
  ) {}

  get available(): boolean {
    return this.reply !== null || this.channel !== null;
  }

  /** Makes a call and waits for its answer. */
  call(call: WorkerCall): unknown {
    if (this.reply) {
      return this.throughMemory(this.reply, call);
    }
    return this.withDownload(this.throughServiceWorker({ ...call }));
  }

  /** Fetches bytes that are too long for an answer, from the address that the answer names. */
  private withDownload(answer: unknown): unknown {
    const value = (answer as { value?: { data?: { $download?: string } } } | null)?.value;
    const url = value?.data?.$download;
    return url === undefined ? answer : { ...(answer as object), value: { ...value, data: readSync(url) } };
  }

  private throughMemory(reply: SharedArrayBuffer, call: WorkerCall): unknown {
    const id = this.next++ % INPUT_CALL;
    const interrupts = this.interrupts();
    const { control } = interrupts;
    this.post({ type: 'call', id, call });
    this.wait(() => Atomics.load(control, Control.CallAnswered) === id);
    const length = Atomics.load(control, Control.CallLength);
    if (length <= REPLY_BYTES) {
      return unpackAnswer(new Uint8Array(reply).slice(0, length));
    }
    return unpackAnswer(this.large(id, length));
  }

  /** An answer too long for the reply area: the page copies it into a buffer of the right size. */
  private large(id: number, length: number): Uint8Array {
    const buffer = new SharedArrayBuffer(length);
    this.post({ type: 'call-large', id, buffer });
    // The sign distinguishes the second answer from the first.
    this.wait(() => Atomics.load(this.interrupts().control, Control.CallAnswered) === -id);
    return new Uint8Array(buffer).slice();
  }

  /**
   * Waits for an answer. At first interrupts do not end the wait: most answers take a millisecond, and EINTR in the middle of
   * an import or of the kernel's own code would do more harm than good.
   */
  private wait(ready: () => boolean): void {
    const interrupts = this.interrupts();
    if (!interrupts.wait.firmly(UNINTERRUPTED_MS, ready) && interrupts.wait.until(Infinity, ready) !== 'ready') {
      throw new CallInterrupted('interrupted');
    }
  }

  /** Whether the page interrupts the running epoch: null if not, else the time limit in ms that has passed, 0 if none has. */
  askInterrupt(epoch: number): number | null {
    if (!this.channel) {
      return null;
    }
    try {
      const limitMs = this.throughServiceWorker({ kind: 'interrupt?', epoch });
      return typeof limitMs === 'number' ? limitMs : null;
    } catch {
      return null; // the service worker restarts from time to time; the next poll asks again
    }
  }

  private throughServiceWorker(call: object): unknown {
    if (!this.channel) {
      throw new Error('this page can answer no synchronous call: it has no service worker');
    }
    const requestId = `${this.channel.id}-${this.next++}`;
    // Bytes are sent before, as a message, and the request only names them: so the body is short, without base64.
    const body = JSON.stringify({ data: call, browsingContextId: this.channel.id, requestId }, (_key, value) => {
      if (value instanceof Uint8Array) {
        this.post({ type: 'upload', id: requestId, data: value.slice() });
        return { $upload: requestId };
      }
      return value;
    });
    const request = new XMLHttpRequest();
    request.open('POST', this.channel.url, false);
    request.send(body);
    if (request.status >= 400) {
      throw new Error(`the service worker answered ${request.status} for ${this.channel.url}`);
    }
    return JSON.parse(request.responseText, revive);
  }

  // --- output

  /**
   * Waits until the page has shown what it was given.
   *
   * @returns '' when it has, 'interrupt' if an interrupt came first, 'turn' where the worker can only find out in a turn of the
   * event loop.
   */
  waitForRoom(hasRoom: () => boolean): '' | 'interrupt' | 'turn' {
    const interrupts = this.interrupts();
    if (hasRoom()) {
      return '';
    }
    if (this.reply) {
      return interrupts.wait.until(Infinity, hasRoom) === 'ready' ? '' : 'interrupt';
    }
    if (interrupts.mode === 'stack-switching' || !this.channel) {
      return 'turn';
    }
    for (;;) {
      const taken = this.throughServiceWorker({ kind: 'taken?' });
      Atomics.store(interrupts.control, Control.OutputTaken, Number(taken) | 0);
      if (hasRoom()) {
        return '';
      }
      if (interrupts.wait.until(ROOM_MS, hasRoom) === 'interrupted') {
        return 'interrupt';
      }
    }
  }

  // --- input

  /** Forgets a line that answers an earlier question. */
  clearInput(): void {
    if (this.reply) {
      Atomics.store(this.interrupts().control, Control.InputReady, 0);
    }
  }

  /** A line has come by message, for a suspended Python. */
  deliverInput(value: string): void {
    this.inputResolve?.(value);
    this.inputResolve = null;
  }

  /** The next line. Python is suspended until it comes. */
  nextInput(): Promise<string> {
    return new Promise(resolve => {
      this.inputResolve = resolve;
    });
  }

  /** Waits for the user's line. @returns undefined if an interrupt came first. */
  waitInput(): string | undefined {
    const interrupts = this.interrupts();
    const { control } = interrupts;
    if (this.reply) {
      if (interrupts.wait.until(Infinity, () => Atomics.load(control, Control.InputReady) === 1) !== 'ready') {
        return undefined;
      }
      Atomics.store(control, Control.InputReady, 0);
      const length = Atomics.load(control, Control.CallLength);
      return decoder.decode(
        length <= REPLY_BYTES ? new Uint8Array(this.reply).slice(0, length) : this.large(INPUT_CALL, length),
      );
    }
    for (;;) {
      const answer = this.throughServiceWorker({ kind: 'input?' });
      if (typeof answer === 'string') {
        return answer;
      }
      if (interrupts.wait.until(150, () => false) === 'interrupted') {
        return undefined;
      }
    }
  }
}
