/** Notifications that say how far uploads and downloads are, once they have taken a moment. */
import { PathExt } from '@jupyterlab/coreutils';

import { Notice } from '../notice';

/** Ms that a transfer may take before there is a notification. */
const QUIET_MS = 500;

interface Transfer {
  fraction: number;
  /** Shows the notification when the moment has passed, also if nothing has been heard of the transfer since. */
  timer: ReturnType<typeof setTimeout>;
  notice: Notice | null;
}

export class TransferNotices {
  private readonly running = new Map<string, Transfer>();

  /** @param text - returns what is shown for a file and a number of percents. */
  constructor(private readonly text: (name: string, percents: number) => string) {}

  /** @param fraction - between 0 and 1; 1 ends the notification. */
  show(path: string, fraction: number): void {
    if (fraction >= 1) {
      this.end(path);
      return;
    }
    const transfer = this.running.get(path);
    if (transfer) {
      transfer.fraction = fraction;
      transfer.notice?.update(this.message(path, fraction), fraction);
    } else {
      this.running.set(path, { fraction, timer: setTimeout(() => this.begin(path), QUIET_MS), notice: null });
    }
  }

  end(path: string): void {
    const transfer = this.running.get(path);
    clearTimeout(transfer?.timer);
    transfer?.notice?.dismiss();
    this.running.delete(path);
  }

  private begin(path: string): void {
    const transfer = this.running.get(path)!;
    transfer.notice = new Notice(this.message(path, transfer.fraction), transfer.fraction);
  }

  private message(path: string, fraction: number): string {
    return this.text(PathExt.basename(path), Math.floor(fraction * 100));
  }
}
