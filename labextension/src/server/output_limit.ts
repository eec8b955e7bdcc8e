/**
 * Counts what each request sends to the Python process. Every message counts, of whatever type and whichever request it
 * names: user code can make up any of them.
 */
import type { JupyterMessage } from '../runtime/protocol';

/** Messages below this length, in bytes, are what a request needs to end: statuses, an error, a reply. */
const SHORT = 64 * 1024;
const ENDS = /^(status|error|.*_reply)$/;

export class OutputLimit {
  private request = '';
  private bytes = 0;
  private replied = false;

  constructor(
    private readonly outputBytes: number,
    private readonly replyBytes: number,
    /** `msg_id` of the request at work, '' when idle: what comes then counts to the last one. */
    private readonly atWork: () => string,
    private readonly exceeded: () => void,
  ) {}

  /**
   * What becomes of a message that takes so many bytes.
   *
   * @returns 'long reply' for one that is to be replaced by an error, so that its request ends.
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
    // The Python process ends a sandbox that goes on and on with these.
    return bytes <= SHORT && ENDS.test(header.msg_type) ? 'pass' : 'drop';
  }

  /** The Python process has answered a question: it has room for as much again. */
  answered(): void {
    this.bytes = 0;
  }

  /** Counts so many bytes of no message, such as a line of the log; false when there is no room for them. */
  passes(bytes: number): boolean {
    this.bytes += bytes;
    return this.bytes <= this.outputBytes;
  }
}
