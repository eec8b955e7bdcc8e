/** One notification per kernel while Python and packages load. */
import { Notification, showErrorMessage } from '@jupyterlab/apputils';

import { Notice } from '../notice';
import type { BootProgress, PackageProgress } from '../runtime/protocol';

/** Ms that a boot may take before there is a notification. */
const QUIET_MS = 800;

export class ProgressNotification {
  private notice: Notice | null = null;
  private readonly loading = new Set<string>();
  private total = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private last: { message: string; fraction: number } | null = null;

  /** @param restored - settles when JupyterLab shows notifications. Earlier ones only appear in its list. */
  constructor(private readonly restored: Promise<unknown>) {}

  boot({ stage, message, fraction }: BootProgress): void {
    if (stage === 'ready') {
      this.dismiss();
    } else {
      this.show(message, fraction);
    }
  }

  package({ package: name, status, message }: PackageProgress): void {
    if (status === 'loading') {
      this.loading.add(name);
      this.total++;
    } else {
      this.loading.delete(name);
    }
    if (status === 'failed') {
      Notification.error(`The package ${name} could not be loaded${message ? `: ${message}` : ''}`);
    }
    if (this.loading.size) {
      const done = this.total - this.loading.size;
      this.show(`Loading ${[...this.loading].join(', ')}`, done / this.total);
    } else {
      this.total = 0;
      this.dismiss();
    }
  }

  /** Reports that the boot failed. JupyterLab cuts notifications at 140 characters, so a button shows the whole text. */
  fail(message: string): void {
    this.dismiss();
    const title = 'Python did not start';
    void this.restored.then(() =>
      Notification.error(`${title}: ${message}`, {
        autoClose: false,
        actions: [{ label: 'Details', callback: () => void showErrorMessage(title, message) }],
      }),
    );
  }

  dismiss(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.last = null;
    this.notice?.dismiss();
    this.notice = null;
  }

  private show(message: string, fraction: number): void {
    this.last = { message, fraction };
    if (this.notice) {
      this.update();
    } else {
      this.timer ??= setTimeout(() => this.update(), QUIET_MS);
    }
  }

  private update(): void {
    this.timer = undefined;
    if (!this.last) {
      return;
    }
    const message = `Python (BrowserGrad): ${this.last.message} (${Math.round(this.last.fraction * 100)} %)`;
    if (this.notice) {
      this.notice.update(message, this.last.fraction);
    } else {
      this.notice = new Notice(message, this.last.fraction);
    }
  }
}
