/** Notifications that say how far uploads and downloads are, once they have taken a moment. */
import { PathExt } from '@jupyterlab/coreutils';

import { Notice } from '../notice';

/** Ms that a transfer may take before there is a notification. */
const QUIET_MS = 500;

export class TransferNotices {
  private readonly running = new Map<string, { since: number; notice: Notice | null }>();

  /** @param text - returns what is shown for a file and a number of percents. */
  constructor(private readonly text: (name: string, percents: number) => string) {}

  /** @param fraction - between 0 and 1; 1 ends the notification. */
  show(path: string, fraction: number): void {
    const transfer = this.running.get(path) ?? { since: performance.now(), notice: null };
    this.running.set(path, transfer);
    if (fraction >= 1) {
      this.end(path);
    } else if (transfer.notice || performance.now() - transfer.since >= QUIET_MS) {
      const message = this.text(PathExt.basename(path), Math.floor(fraction * 100));
      if (transfer.notice) {
        transfer.notice.update(message, fraction);
      } else {
        transfer.notice = new Notice(message, fraction);
      }
    }
  }

  end(path: string): void {
    this.running.get(path)?.notice?.dismiss();
    this.running.delete(path);
  }
}
