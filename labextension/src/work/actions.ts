/**
 * What the panel *History* and its notices do: compare, restore, bring back.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, Notification, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type * as nbformat from '@jupyterlab/nbformat';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { isNarrow } from '../labs/narrow_window';
import { closeRight } from '../shell_sides';
import { compareCells } from './compare';
import { CompareView } from './compare_view';
import { NoWorkFiles } from './files';
import type { KeptDocument, VersionId } from './history';
import type { Found, NotebookKeeper } from './keeper';
import type { HistoryActions } from './panel';
import { exists, makeFolder } from './places';
import type { Work } from './work';
import { timeText } from './words';

/** Most notebooks of which it is asked whether they are missing. */
const MAX_ASKED = 60;
/** A notebook that is narrower has no room for a comparison beside it. In px. */
const MIN_SPLIT_WIDTH = 750;
/** Ms for which a notice with an *Undo* stays. */
const UNDO_MS = 30_000;

export class WorkActions implements HistoryActions {
  /** Whether it was said that the storage is full. */
  private isFullSaid = false;
  private isGivenBackSaid = false;

  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly contents: Contents.IManager,
    private readonly work: () => Work,
    private readonly site: string,
    private readonly showHistory: () => void,
    private readonly trans: TranslationBundle,
  ) {}

  async compare(panel: NotebookPanel, version: VersionId): Promise<void> {
    const notebook = await this.read(version);
    const keeper = this.work().keeper(panel);
    if (!notebook || !keeper) {
      return;
    }
    const { trans } = this;
    const name = PathExt.basename(panel.context.path);
    const changes = compareCells(notebook, keeper.content());
    const title = trans.__('%1: version of %2 (−) and the notebook (+)', name, timeText(version.time));
    // Once it is restored, the two are the same.
    const restore = (): void =>
      void this.restore(panel, version).then(() => {
        widget.dispose();
        this.app.shell.activateById(panel.id);
      });
    const content = new CompareView(changes, title, restore, trans);
    content.id = `browsergrad-compare-${version.document}-${version.time}`;
    content.title.label = trans.__('Compare %1', name);
    content.title.caption = title;
    const widget: MainAreaWidget<CompareView> = new MainAreaWidget({ content });
    widget.id = `${content.id}-tab`;
    [...this.app.shell.widgets('main')].find(({ id }) => id === widget.id)?.dispose();
    const isWide = panel.node.clientWidth >= MIN_SPLIT_WIDTH;
    this.app.shell.add(widget, 'main', { mode: isWide ? 'split-right' : 'tab-after' });
    if (isNarrow()) {
      closeRight(this.app.shell);
    }
    this.app.shell.activateById(widget.id);
    content.node.focus();
  }

  /** Puts a version into the notebook and saves it. What was there is a version itself, so this can be undone. */
  async restore(panel: NotebookPanel, version: VersionId): Promise<void> {
    const notebook = await this.read(version);
    const keeper = this.work().keeper(panel);
    if (notebook && keeper && !keeper.isDisposed) {
      const before = keeper.content();
      await this.replace(keeper, notebook);
      const { trans } = this;
      const message = trans.__(
        'The notebook is as it was at %1. What was there is in the history.',
        timeText(version.time),
      );
      Notification.success(message, {
        autoClose: UNDO_MS,
        actions: [{ label: trans.__('Undo'), callback: () => void this.replace(keeper, before) }],
      });
    }
  }

  async missing(): Promise<KeptDocument[]> {
    const { state } = this.work();
    if (state.kind !== 'open') {
      return [];
    }
    const all = await state.history.documents();
    const earlier = new Set(all.map(({ before }) => before));
    const own = new Set(all.filter(({ site }) => site === this.site).map(({ path }) => path));
    const wanted = all.filter(
      ({ document, site, path, isDeleted }) =>
        !isDeleted && !earlier.has(document) && (site === this.site || !own.has(path)),
    );
    const missing = await Promise.all(
      wanted.slice(0, MAX_ASKED).map(async one => !(await exists(this.contents, one.path))),
    );
    return wanted.filter((_, i) => missing[i]);
  }

  /** Writes the newest version to where the notebook was, or beside it if something is there. */
  async bringBack(document: KeptDocument): Promise<void> {
    const { state } = this.work();
    const [newest] = state.kind === 'open' ? await state.history.versionsOf(document.document) : [];
    const content = newest && (await this.read(newest));
    if (!content) {
      return;
    }
    try {
      const path = await this.freePath(document.path);
      await makeFolder(this.contents, PathExt.dirname(path));
      await this.contents.save(path, { type: 'notebook', format: 'json', content });
      await this.app.commands.execute('docmanager:open', { path });
    } catch (error) {
      await showErrorMessage(this.trans.__('Bring back'), (error as Error).message);
    }
  }

  /** Says that notebooks are missing which the history has. */
  async tellMissing(): Promise<void> {
    const missing = (await this.missing()).filter(({ site }) => site === this.site);
    if (!missing.length) {
      return;
    }
    const { trans } = this;
    const text = trans._n(
      'A notebook is no longer in this browser’s storage, but in the history: %2',
      '%1 notebooks are no longer in this browser’s storage, but in the history: %2',
      missing.length,
      missing.map(({ path }) => PathExt.basename(path)).join(', '),
    );
    Notification.warning(text, {
      autoClose: false,
      actions: [
        {
          label: trans.__('Bring back'),
          callback: () => void missing.reduce((done, one) => done.then(() => this.bringBack(one)), Promise.resolve()),
        },
        { label: trans.__('Show history'), callback: this.showHistory },
        { label: trans.__('They may go'), callback: () => void this.forget(missing) },
      ],
    });
  }

  /** Says what was found when a notebook was opened. */
  tell(keeper: NotebookKeeper, found: Found): void {
    const { trans } = this;
    const name = PathExt.basename(keeper.context.path);
    const show = { label: trans.__('Show history'), callback: this.showHistory };
    if (found.kind === 'recovered') {
      const text = trans.__('%1: what you had typed until %2 is back. It was not saved.', name, timeText(found.time));
      Notification.info(text, {
        autoClose: false,
        actions: [{ label: trans.__('Undo'), callback: () => void found.undo() }, show],
      });
    } else if (found.kind === 'kept') {
      const text = trans.__('%1: what was typed until %2 and not saved is in the history.', name, timeText(found.time));
      Notification.info(text, { autoClose: false, actions: [show] });
    } else if (found.kind === 'lost') {
      const text = trans.__('%1: the history has a newer state, of %2.', name, timeText(found.time));
      const back = {
        label: trans.__('Bring back'),
        callback: () => void this.read(found.version).then(content => content && this.replace(keeper, content)),
      };
      Notification.warning(text, { autoClose: false, actions: [back, show] });
    } else {
      const text = trans.__('%1 is being changed in another tab as well. Close one, so that they do not differ.', name);
      Notification.warning(text, { autoClose: false });
    }
  }

  /** Says, once in this page, that old versions were deleted. */
  tellGivenBack(): void {
    if (!this.isGivenBackSaid) {
      this.isGivenBackSaid = true;
      const text = this.trans.__(
        'The browser’s storage is full: old versions in the history were deleted. Download your work, then delete files that you do not need.',
      );
      Notification.warning(text, { autoClose: false });
    }
  }

  /** Says, once in this page, that nothing more is kept. */
  tellProblem(error: Error): void {
    if (error instanceof NoWorkFiles && error.code === 'full' && !this.isFullSaid) {
      this.isFullSaid = true;
      const text = this.trans.__(
        'The browser’s storage is full: versions and drafts are no longer kept. Download your work, then delete files that you do not need.',
      );
      Notification.error(text, { autoClose: false });
    }
    console.warn('[browsergrad] the history was not written:', error);
  }

  private async replace(keeper: NotebookKeeper, notebook: nbformat.INotebookContent): Promise<void> {
    if (!keeper.isDisposed) {
      await keeper.replace(notebook);
      await keeper.context.save();
    }
  }

  private async forget(documents: readonly KeptDocument[]): Promise<void> {
    const { state } = this.work();
    for (const { path } of documents) {
      await (state.kind === 'open' ? state.history.deleted(path) : undefined);
    }
  }

  private async read(version: VersionId): Promise<nbformat.INotebookContent | null> {
    const { state } = this.work();
    const notebook = state.kind === 'open' ? await state.history.read(version) : null;
    if (!notebook) {
      await showErrorMessage(this.trans.__('History'), this.trans.__('This version is damaged: choose another one.'));
    }
    return notebook;
  }

  private async freePath(path: string): Promise<string> {
    const end = PathExt.extname(path);
    const base = path.slice(0, path.length - end.length);
    for (let number = 0; ; number++) {
      const free = number ? `${base}-restored${number > 1 ? `-${number}` : ''}${end}` : path;
      if (!(await exists(this.contents, free))) {
        return free;
      }
    }
  }
}
