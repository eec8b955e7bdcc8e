/**
 * Collects the text that Python writes, and posts it about every 50 ms, before other messages, and at the end of a request.
 * Python keeps short texts that may wait, since a call costs more than a short write. A writer that posts more while too much
 * is in flight to the page waits until the page has shown it.
 */
import { Control, type FromWorker, type StreamChunk } from '../protocol';
import type { StreamTexts } from './stream_texts';

/** Ms that text may wait. */
const FLUSH_MS = 50;
/** Characters from which text is posted without waiting. */
const FLUSH_LENGTH = 32768;
/** Most characters in one message. The page handles a long text's first part while the worker still copies the others. */
const MESSAGE_LENGTH = 1 << 20;
/** Bytes in flight to the page above which a writer waits. */
const MAX_IN_FLIGHT_BYTES = 100_000;
/** What a message costs the page beside its length, in bytes. */
const MESSAGE_BYTES = 1000;

/** Decodes bytes written to descriptors. Bytes that are not UTF-8 become a replacement character. */
function bytesDecoder(): TextDecoder {
  return new TextDecoder('utf-8', { ignoreBOM: true });
}

/** Cuts a long text into parts, each of whole characters. */
function parts({ text, ...rest }: StreamChunk): StreamChunk[] {
  const found: StreamChunk[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + MESSAGE_LENGTH, text.length);
    if (end < text.length && (text.charCodeAt(end) & 0xfc00) === 0xdc00) {
      end--; // between the two halves of a character
    }
    found.push({ ...rest, text: text.slice(start, end) });
    start = end;
  }
  return found;
}

export class OutputBuffer {
  /** Text that Python's streams still hold. It belongs to the last stream that wrote, and to its request. */
  held: StreamTexts | null = null;
  private name: StreamChunk['name'] = 'stdout';
  private chunks: StreamChunk[] = [];
  private length = 0;
  private lastFlush = 0;
  /** `performance.now()` when the oldest waiting text was written. */
  private since = 0;
  private timer = false;
  private parent = '{}';
  /** The newest request's header: text written to descriptors belongs to it. */
  private newest = '{}';
  private readonly decoders = { stdout: bytesDecoder(), stderr: bytesDecoder() };
  /** The stream whose last bytes may end in the middle of a character. */
  private unfinished: StreamChunk['name'] | null = null;
  private sent = 0;

  constructor(
    private readonly post: (message: FromWorker, transfer?: Transferable[]) => void,
    private readonly control: () => Int32Array,
    /** Whether the page acknowledges what it has taken. */
    private readonly acknowledged: boolean,
  ) {}

  /** @param newest Whether this request has just begun. */
  setParent(json: string, newest = false): void {
    this.takeHeld();
    this.parent = json;
    if (newest) {
      this.newest = json;
    }
  }

  /** @returns whether the writer has to wait for room now. */
  write(name: StreamChunk['name'], text: string): boolean {
    this.takeHeld();
    this.finishCharacter();
    this.name = name;
    return this.append(name, text, this.parent);
  }

  /**
   * Takes bytes written to a descriptor, by C code or `os.write`.
   *
   * @returns whether the writer has to wait for room now.
   */
  writeBytes(name: StreamChunk['name'], bytes: Uint8Array): boolean {
    this.takeHeld();
    if (this.unfinished !== name) {
      this.finishCharacter();
    }
    this.unfinished = name;
    return this.append(name, this.decoders[name].decode(bytes, { stream: true }), this.newest);
  }

  /** Shows the beginning of a character that was cut off. */
  private finishCharacter(): void {
    const name = this.unfinished;
    if (name) {
      this.unfinished = null;
      this.add(name, this.decoders[name].decode(), this.newest, performance.now());
    }
  }

  /** Posts everything that is left, at the end of a request. */
  endRequest(): void {
    this.takeHeld();
    this.finishCharacter();
    this.flush();
  }

  private append(name: StreamChunk['name'], text: string, parent: string): boolean {
    const time = performance.now();
    this.add(name, text, parent, time);
    const quiet = time - this.lastFlush > FLUSH_MS;
    // `print` writes the end of a line by itself: a line stays whole.
    const due = text.endsWith('\n') ? quiet : time - this.since > FLUSH_MS;
    if (this.length > FLUSH_LENGTH || due) {
      // The last text of a cell waits for nothing: only a writer that goes on has to.
      const room = this.hasRoom();
      this.flush();
      return !room;
    }
    if (!quiet) {
      this.held?.invite();
    }
    if (!this.timer) {
      this.timer = true;
      setTimeout(() => {
        this.timer = false;
        this.flush();
      }, FLUSH_MS);
    }
    return false;
  }

  private add(name: StreamChunk['name'], text: string, parent: string, time: number): void {
    if (!text) {
      return;
    }
    const last = this.chunks[this.chunks.length - 1];
    if (!last) {
      this.since = time;
    }
    if (last && last.name === name && last.parent === parent) {
      last.text += text;
    } else {
      this.chunks.push({ name, text, parent });
    }
    this.length += text.length;
  }

  private takeHeld(): void {
    try {
      const text = this.held?.take();
      if (text) {
        this.finishCharacter();
        this.add(this.name, text, this.parent, performance.now());
      }
    } catch {
      // The stack is full, or Python has ended: the text stays where it is.
    }
  }

  /** Posts text that has waited long enough. Called while Python runs. */
  flushDue(time: number): void {
    if ((this.chunks.length || this.held?.size) && time - this.since > FLUSH_MS) {
      this.flush();
    }
  }

  flush(): void {
    this.takeHeld();
    if (this.chunks.length) {
      const { chunks, length } = this;
      this.chunks = [];
      this.length = 0;
      this.sent = (this.sent + length) | 0;
      if (length <= MESSAGE_LENGTH) {
        this.post({ type: 'streams', chunks, bytes: length });
      } else {
        for (const part of chunks.flatMap(parts)) {
          this.post({ type: 'streams', chunks: [part], bytes: part.text.length });
        }
      }
    }
    this.lastFlush = performance.now();
  }

  message(json: string, buffers: ArrayBuffer[]): void {
    this.flush();
    const bytes = MESSAGE_BYTES + json.length + buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
    this.sent = (this.sent + bytes) | 0;
    this.post({ type: 'message', json, buffers, bytes }, buffers);
  }

  private inFlight(): number {
    return (this.sent - Atomics.load(this.control(), Control.OutputTaken)) | 0;
  }

  /** Whether the page keeps up with what is written. */
  readonly hasRoom = (): boolean => !this.acknowledged || this.inFlight() <= MAX_IN_FLIGHT_BYTES;
}
