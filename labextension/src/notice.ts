/** A notification of something under way, whose text changes. */
import { Notification } from '@jupyterlab/apputils';

/**
 * Ms until JupyterLab has surely put a new notification on the screen.
 *
 * It loads what shows them in its own time, and loses an update that comes while a notification is on its way
 * there, also the one that takes it away.
 */
const SHOWN_MS = 1000;

type Changes = Omit<Notification.IUpdate<never>, 'id'>;

export class Notice {
  private readonly id: string;
  private readonly shown: Promise<unknown>;
  private last: Changes | null = null;

  /** @param progress - between 0 and 1 */
  constructor(message: string, progress?: number) {
    this.id = Notification.emit(message, 'in-progress', { autoClose: false, progress });
    this.shown = new Promise(resolve => setTimeout(resolve, SHOWN_MS)).then(() => this.send());
  }

  update(message: string, progress?: number): void {
    this.last = { message, type: 'in-progress', autoClose: false, progress };
    this.send();
  }

  /** Says for a moment how it ended well. */
  succeed(message: string): void {
    this.last = { message, type: 'success', autoClose: 3000 };
    this.send();
  }

  dismiss(): void {
    this.last = null;
    void this.shown.then(() => Notification.dismiss(this.id));
  }

  private send(): void {
    if (this.last) {
      Notification.update({ id: this.id, ...this.last });
    }
  }
}
