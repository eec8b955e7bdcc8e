/**
 * Shows in the status bar where the copies of the front notebook are, asks the browser to keep its storage, and asks before a page is
 * left whose work is in no copy.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { IStatusBar } from '@jupyterlab/statusbar';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import type { Copies } from './copies';
import type { NotebookKeeper } from './keeper';
import { isOnlyHere, storageFacts, storageTexts, whereaboutsTexts, type Whereabouts } from './whereabouts';
import type { Work } from './work';
import { noHistoryText } from './words';

/** Ms between two looks at what is kept. */
const INTERVAL_MS = 500;
/** In which pages of Safari it was said that it deletes what nobody visits. */
const SAID_KEY = 'browsergrad:storage-said';

/** When it is asked before the page is left. */
export type AskChoice = 'labs' | 'always' | 'never';

export class Leaving {
  ask: AskChoice = 'labs';
  private readonly item = new Widget({ node: document.createElement('button') });
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Notebooks whose work is only in this browser. Known before the page is left, since there is no time to find it out then. */
  private readonly onlyHere = new Map<NotebookKeeper, { isLab: boolean }>();
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
    work.followed.connect((_, keeper) => keeper.context.disposed.connect(() => this.onlyHere.delete(keeper)));
    tracker.currentChanged.connect(this.later, this);
    window.addEventListener('beforeunload', event => {
      if (this.mustAsk()) {
        event.preventDefault();
      }
    });
  }

  /** @param download - called when the item is clicked. */
  show(statusBar: IStatusBar, download: () => void): void {
    const { item } = this;
    item.id = 'jp-browsergrad-work';
    item.addClass('jp-StatusBar-TextItem');
    item.addClass('bg-status-button');
    item.node.hidden = true;
    item.node.addEventListener('click', download);
    statusBar.registerStatusItem(item.id, { item, align: 'left', rank: 5 });
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
    const { trans } = this;
    const keeper = this.work.keeper(this.tracker.currentWidget);
    if (!keeper || keeper.isDisposed) {
      const { state } = this.work;
      const isLost = state.kind === 'none' && this.tracker.currentWidget !== null;
      const reason = isLost ? noHistoryText(state.error, trans) : '';
      this.say(isLost ? trans.__('No history') : '', `${reason} ${trans.__('Click to download your work.')}`);
      return;
    }
    const place = await this.whereabouts(keeper);
    if (isOnlyHere(place)) {
      const isLab = await this.isLab(keeper.context.path);
      if (!keeper.isDisposed) {
        this.onlyHere.set(keeper, { isLab }); // nobody would remove one that was closed meanwhile
      }
      await this.keepStorage();
    } else {
      this.onlyHere.delete(keeper);
    }
    const facts = await storageFacts(this.work.state.kind === 'open');
    const [label, tooltip] = whereaboutsTexts(place, facts, trans);
    this.say(label, tooltip);
    this.app.commands.notifyCommandChanged();
  }

  /** Shows a text in the status bar; none if it is empty. */
  private say(label: string, tooltip: string): void {
    this.item.node.hidden = !label;
    this.item.node.textContent = label;
    this.item.node.title = this.item.title.caption = tooltip;
  }

  private async whereabouts(keeper: NotebookKeeper): Promise<Whereabouts> {
    const { state } = this.work;
    const { path, model } = keeper.context;
    const copy = (await this.copies()?.of(path)) ?? null;
    return {
      hasWork: state.kind === 'open' && (await state.history.versions(path)).length > 1,
      isDirty: model.dirty,
      copied: copy?.time ?? null,
      isCurrent: copy !== null && copy.hash === keeper.savedHash,
    };
  }

  /** Asks the browser to keep its storage, once there is something to lose. In Safari, says what it does. */
  private async keepStorage(): Promise<void> {
    if (this.hasAskedToPersist) {
      return;
    }
    this.hasAskedToPersist = true;
    const before = await storageFacts(true);
    if (before.isPersisted === false) {
      // Firefox asks its user, who has just changed something and so knows what it is about.
      await navigator.storage.persist().catch(() => false);
    }
    const facts = await storageFacts(this.work.state.kind === 'open');
    if (facts.isSafari && !facts.isPersisted && !localStorage.getItem(SAID_KEY)) {
      localStorage.setItem(SAID_KEY, new Date().toISOString());
      Notification.warning(storageTexts(facts, this.trans)[0], { autoClose: false });
    }
  }
}
