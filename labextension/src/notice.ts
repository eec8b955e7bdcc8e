/** A notification of something under way, whose text changes. */
import { Notification } from '@jupyterlab/apputils';

/** Ms after which a notification is taken for one that is only listed: JupyterLab shows none where they are switched off. */
const LISTED_MS = 30_000;
/** Ms between two looks whether it is on the screen. */
const LOOK_MS = 100;

/**
 * Settles when a notification is on the screen.
 *
 * JupyterLab loads what shows them in its own time, and loses an update that comes while a notification is on its way
 * there, also the one that takes it away.
 */
async function isShown(id: string): Promise<void> {
  for (let waited = 0; waited < LISTED_MS && !document.getElementById(id); waited += LOOK_MS) {
    await new Promise(resolve => setTimeout(resolve, LOOK_MS));
  }
}

type Changes = Omit<Notification.IUpdate<never>, 'id'>;

export class Notice {
  private readonly id: string;
  private readonly shown: Promise<unknown>;
  private last: Changes | null = null;

  /** @param progress - between 0 and 1 */
  constructor(message: string, progress?: number) {
    this.id = Notification.emit(message, 'in-progress', { autoClose: false, progress });
    this.shown = isShown(this.id).then(() => this.send());
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
