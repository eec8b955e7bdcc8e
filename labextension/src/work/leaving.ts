/**
 * Shows where the copies of notebooks are, asks the browser to keep its storage, and asks before a page is left whose work is in no copy.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IStatusBar } from '@jupyterlab/statusbar';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal, type ISignal } from '@lumino/signaling';

import type { IWorkPlaces, WorkPlace } from '../labs/work_places';
import { noteSaid } from '../said';
import { StatusItem } from '../status_item';
import type { Copies } from './copies';
import type { UnkeptNotebook } from './unkept';
import { NotebookKeeper } from './keeper';
import { isOnlyHere, storageFacts, warningText, whereaboutsTexts, type Whereabouts } from './whereabouts';
import type { Work } from './work';
import { noHistoryText } from './words';

/** Ms between two looks at what is kept. */
const INTERVAL_MS = 500;
/** When the user of this site was warned that its storage ends sooner than others'. */
const SAID_KEY = 'browsergrad:storage-said';

/** When it is asked before the page is left. */
export type AskChoice = 'labs' | 'always' | 'never';

export class Leaving implements IWorkPlaces {
  ask: AskChoice = 'labs';
  private item: StatusItem | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Notebooks whose work is only in this browser. Known before the page is left, since there is no time to find it out then. */
  private readonly onlyHere = new Map<NotebookPanel, { isLab: boolean }>();
  private readonly places = new WeakMap<NotebookPanel, WorkPlace>();
  private readonly changedSignal = new Signal<this, NotebookPanel>(this);
  private hasAskedToPersist = false;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly tracker: INotebookTracker,
    private readonly work: Work,
    private readonly copies: () => Copies | null,
    private readonly isLab: (path: string) => Promise<boolean>,
    private readonly trans: TranslationBundle,
  ) {
    work.changed.connect(this.later, this);
    tracker.currentChanged.connect(this.later, this);
    window.addEventListener('beforeunload', event => {
      if (this.mustAsk()) {
        event.preventDefault();
      }
    });
  }

  get changed(): ISignal<this, NotebookPanel> {
    return this.changedSignal;
  }

  of(panel: NotebookPanel): WorkPlace | null {
    return this.places.get(panel) ?? null;
  }

  /** @param download - called when the item is clicked. */
  show(statusBar: IStatusBar, download: () => void): void {
    this.item = new StatusItem('jp-browsergrad-work', download);
    this.item.addTo(statusBar, 5);
  }

  /** Whether something would be lost with this browser's storage, and its user wants to be asked. */
  mustAsk(): boolean {
    return this.ask !== 'never' && [...this.onlyHere.values()].some(({ isLab }) => isLab || this.ask === 'always');
  }

  private later(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.update();
    }, INTERVAL_MS);
  }

  private async update(): Promise<void> {
    const panel = this.tracker.currentWidget;
    const notebook = panel && this.work.known(panel);
    if (!panel || !notebook || notebook.isDisposed) {
      this.say('', '');
      return;
    }
    const place = await this.whereabouts(notebook);
    const onlyHere = isOnlyHere(place);
    if (onlyHere) {
      const isLab = await this.isLab(notebook.context.path);
      // Nobody would remove one that was closed meanwhile.
      if (!panel.isDisposed) {
        if (!this.onlyHere.has(panel)) {
          panel.disposed.connect(() => this.onlyHere.delete(panel));
        }
        this.onlyHere.set(panel, { isLab });
      }
      void this.keepStorage();
    } else {
      this.onlyHere.delete(panel);
    }
    const [label, about] = whereaboutsTexts(place, await storageFacts(this.noHistory), this.trans);
    this.places.set(panel, { label, about, isOnlyHere: onlyHere });
    this.changedSignal.emit(panel);
    if (!label && this.noHistory) {
      this.say(this.trans.__('No history'), this.noHistory);
    } else {
      this.say(label, about);
    }
    this.app.commands.notifyCommandChanged();
  }

  /** Shows a text in the status bar; none if it is empty. */
  private say(label: string, about: string): void {
    this.item?.say(label, `${about} ${this.trans.__('Click to download your work.')}`);
  }

  /** Why no history is kept; empty if one is. */
  private get noHistory(): string {
    const { state } = this.work;
    return state.kind === 'none' ? noHistoryText(state.error, this.trans) : '';
  }

  private async whereabouts(notebook: NotebookKeeper | UnkeptNotebook): Promise<Whereabouts> {
    const { path } = notebook.context;
    const copy = (await this.copies()?.of(path)) ?? null;
    const isCurrent = copy !== null && copy.hash === notebook.savedHash;
    return {
      hasWork: notebook instanceof NotebookKeeper ? await this.hasVersions(path) : notebook.hasWork,
      isDirty: notebook.isChanged,
      copied: copy?.time ?? null,
      folder: copy?.folder,
      isCurrent,
    };
  }

  /** Whether the history has another version than the one that was opened. */
  private async hasVersions(path: string): Promise<boolean> {
    const { state } = this.work;
    return state.kind === 'open' && (await state.history.versions(path)).length > 1;
  }

  /** Asks the browser to keep its storage, once there is something to lose. Warns once of storage that ends sooner than others'. */
  private async keepStorage(): Promise<void> {
    if (this.hasAskedToPersist) {
      return;
    }
    this.hasAskedToPersist = true;
    const { isPersisted, isFramed } = await storageFacts('');
    if (isPersisted === false) {
      // Firefox asks its user, who has just changed something and so knows what it is about. The answer may take long, or never come.
      const answered = navigator.storage.persist().then(
        () => this.later(),
        () => undefined,
      );
      await (isFramed ? null : answered);
    }
    const warning = warningText(await storageFacts(''), this.trans);
    // Where the browser stores nothing at all, the page has said so already.
    if (warning && noteSaid(SAID_KEY, new Date().toISOString()) === null) {
      Notification.warning(warning, { autoClose: false });
    }
  }
}
