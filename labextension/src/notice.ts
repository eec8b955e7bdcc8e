/** A notification of something under way, whose text changes. */
import { Notification } from '@jupyterlab/apputils';

/** Waits, in ms, between two looks at what is on the screen: 30 s in all. JupyterLab shows nothing where notifications are switched off. */
const LOOKS_MS = [...Array<number>(20).fill(100), ...Array<number>(28).fill(1000)];

/** How many characters of a message are compared with what is shown: JupyterLab shortens long ones. */
const COMPARED = 100;

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

type Changes = Omit<Notification.IUpdate<never>, 'id' | 'message'> & { message: string };

export class Notice {
  private readonly id: string;
  /** What is to be on the screen; null for nothing. */
  private wanted: Changes | null;
  private isSettling = false;

  /** @param progress - between 0 and 1 */
  constructor(message: string, progress?: number) {
    this.id = Notification.emit(message, 'in-progress', { autoClose: false, progress });
    this.wanted = { message };
  }

  update(message: string, progress?: number): void {
    this.show({ message, type: 'in-progress', autoClose: false, progress });
  }

  /** Says for a moment how it ended well. */
  succeed(message: string): void {
    this.show({ message, type: 'success', autoClose: 3000 });
  }

  dismiss(): void {
    this.wanted = null;
    void this.settle();
  }

  private show(changes: Changes): void {
    this.wanted = changes;
    Notification.update({ id: this.id, ...changes });
    void this.settle();
  }

  /**
   * Sends again until it is on the screen.
   *
   * JupyterLab loads what shows notifications in its own time, and loses an update that comes while one is on its way
   * there, also the one that takes it away.
   */
  private async settle(): Promise<void> {
    if (this.isSettling) {
      return;
    }
    this.isSettling = true;
    let wasShown = false;
    for (const ms of LOOKS_MS) {
      const shown = document.getElementById(this.id);
      if (shown && this.wanted) {
        wasShown = true;
        if (shown.textContent?.includes(this.wanted.message.slice(0, COMPARED))) {
          break;
        }
        Notification.update({ id: this.id, ...this.wanted });
      } else if (shown || wasShown) {
        break; // it is to go, or its user has closed it
      }
      await sleep(ms);
    }
    this.isSettling = false;
    if (!this.wanted) {
      Notification.dismiss(this.id);
    }
  }
}
