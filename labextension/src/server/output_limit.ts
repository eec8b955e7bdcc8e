/**
 * Counts the bytes that each request sends to the kernel process. Every message counts, whatever its type and whichever request
 * it names: user code can make up any message.
 */
import type { JupyterMessage } from '../runtime/protocol';

/** Messages up to this length, in bytes, that a request needs to end still pass: statuses, an error, a reply. */
const SHORT = 64 * 1024;
const ENDS = /^(status|error|.*_reply)$/;

export class OutputLimit {
  private request = '';
  private bytes = 0;
  private replied = false;

  constructor(
    private readonly outputBytes: number,
    private readonly replyBytes: number,
    /** `msg_id` of the running request; '' when idle: messages then count for the last request. */
    private readonly atWork: () => string,
    private readonly exceeded: () => void,
  ) {}

  /**
   * Decides what to do with a message of so many bytes.
   *
   * @returns 'long reply' for a message to replace by an error, so that its request ends.
   */
  judge({ channel, header }: JupyterMessage, bytes: number): 'pass' | 'drop' | 'long reply' {
    const request = this.atWork();
    if (request && request !== this.request) {
      this.request = request;
      this.bytes = 0;
      this.replied = false;
    }
    if (!this.replied && (channel === 'shell' || channel === 'control')) {
      this.replied = true;
      return bytes > this.replyBytes ? 'long reply' : 'pass';
    }
    if (this.passes(bytes)) {
      return 'pass';
    }
    this.exceeded();
    // If a sandbox sends such messages without end, the kernel process ends it.
    return bytes <= SHORT && ENDS.test(header.msg_type) ? 'pass' : 'drop';
  }

  /** The kernel process has answered a question, so it has room again. */
  answered(): void {
    this.bytes = 0;
  }

  /** Counts bytes that are not a message, such as a line of the log. @returns false if there is no room for them. */
  passes(bytes: number): boolean {
    this.bytes += bytes;
    return this.bytes <= this.outputBytes;
  }
}
