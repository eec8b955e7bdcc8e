/**
 * Tells a worker how much of its output the page has taken, so that code which prints without end waits for the page.
 */

export class OutputReceipts {
  /** Bytes that were handed on and not acknowledged. */
  private untaken = 0;
  /** Bytes that were acknowledged, modulo 2^32. */
  private takenBytes = 0;
  /** Whether somebody waits for the page to show what it has. */
  private isShowing = false;

  /**
   * @param shown - settles when the page has had time to show what it was given. Undefined: at once.
   * @param send - takes all bytes so far, modulo 2^32.
   * @param isEnded - whether nobody wants to hear of it.
   */
  constructor(
    private readonly shown: (() => Promise<void>) | undefined,
    private readonly send: (taken: number) => void,
    private readonly isEnded: () => boolean,
  ) {}

  get taken(): number {
    return this.takenBytes;
  }

  /** So many bytes were handed to the page. */
  add(bytes: number): void {
    this.untaken += bytes;
    if (!this.shown) {
      this.acknowledge(bytes);
    } else if (!this.isShowing) {
      void this.acknowledgeShown(this.shown);
    }
  }

  private async acknowledgeShown(shown: () => Promise<void>): Promise<void> {
    this.isShowing = true;
    while (this.untaken && !this.isEnded()) {
      const bytes = this.untaken;
      await shown();
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
