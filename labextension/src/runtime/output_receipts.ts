/**
 * Tells a worker how much of its output the page has taken, so that code that prints without end waits for the page.
 */

export class OutputReceipts {
  /** Bytes that the page got and has not acknowledged, and the number of messages that had them. */
  private untaken = 0;
  private messages = 0;
  /** Bytes that the page has acknowledged, modulo 2^32. */
  private takenBytes = 0;
  /** Whether an acknowledgement waits for the page to show output. */
  private isShowing = false;

  /**
   * @param shown - gets the bytes of an average message, and settles when the page has had time to show what it was given. If undefined,
   * output counts as shown when it arrives.
   * @param send - gets the number of bytes so far, modulo 2^32.
   * @param isEnded - whether the worker has ended, so that no acknowledgement is needed.
   */
  constructor(
    private readonly shown: ((averageBytes: number) => Promise<void>) | undefined,
    private readonly send: (taken: number) => void,
    private readonly isEnded: () => boolean,
  ) {}

  get taken(): number {
    return this.takenBytes;
  }

  /** The page has got `bytes` bytes of output. */
  add(bytes: number): void {
    this.untaken += bytes;
    this.messages++;
    if (!this.shown) {
      this.acknowledge(bytes);
    } else if (!this.isShowing) {
      void this.acknowledgeShown(this.shown);
    }
  }

  private async acknowledgeShown(shown: (averageBytes: number) => Promise<void>): Promise<void> {
    this.isShowing = true;
    while (this.untaken && !this.isEnded()) {
      const bytes = this.untaken;
      const averageBytes = bytes / this.messages;
      this.messages = 0;
      await shown(averageBytes);
      this.acknowledge(bytes);
    }
    this.isShowing = false;
  }

  private acknowledge(bytes: number): void {
    this.untaken -= bytes;
    this.takenBytes = (this.takenBytes + bytes) | 0;
    this.send(this.takenBytes);
  }
}
