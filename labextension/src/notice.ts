/** A notification about something in progress, whose text changes. */
import { Notification } from '@jupyterlab/apputils';

/** Ms between two looks at the screen; 30 s in all, since JupyterLab shows nothing if notifications are switched off. */
const LOOKS_MS = [...Array<number>(20).fill(100), ...Array<number>(28).fill(1000)];

/**
 * Timers that run after one another, in ms, in which every update that was sent before is on the screen. JupyterLab's toasts show
 * an update after three timers, of 0, 0 and 100 ms, and show one anew that was dismissed in this time. Timers that are started
 * later and take longer end later, however busy the page is.
 */
const UPDATED_MS = [0, 0, 150];

/** Characters of a message that are compared with what is shown: JupyterLab shortens long messages. */
const COMPARED = 100;

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

type Changes = Omit<Notification.IUpdate<never>, 'id' | 'message'> & { message: string };

export class Notice {
  private readonly id: string;
  /** What the screen should show; null for nothing. */
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

  /** Shows a message of success for a moment. */
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
   * Repeats the notification until the screen shows it.
   *
   * JupyterLab loads the code that shows notifications late. It loses an update that arrives while it handles another one, even
   * the update that removes the notification.
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
        break; // it is to be removed, or the user has closed it
      }
      await sleep(ms);
    }
    if (!this.wanted) {
      for (const ms of UPDATED_MS) {
        await sleep(ms);
      }
      Notification.dismiss(this.id);
    }
    this.isSettling = false;
  }
}
