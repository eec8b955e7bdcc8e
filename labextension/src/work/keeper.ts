/**
 * Keeps the versions and the draft of one open notebook, and brings back what an ended page had not saved.
 *
 * | what happens | what is kept |
 * |---|---|
 * | the notebook is opened | a version, if the history has no such state |
 * | it is changed | a draft, within a second |
 * | it is saved | a version; the draft goes |
 * | it is closed without saving | a version; the draft goes |
 * | the page ends in any other way | the draft, which the next visit brings back |
 */
import type * as nbformat from '@jupyterlab/nbformat';
import type { INotebookModel } from '@jupyterlab/notebook';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { KernelMessage } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

import { completeDraft, type Draft, type Drafts } from './drafts';
import type { History, VersionCounts, VersionId, VersionKind } from './history';
import { areSameButForKernel, takeApart, written } from './notebook_parts';

/** Ms from a change to the draft. A draft that takes long to write is written less often, but within `MAX_PAUSE_MS`. */
const MIN_PAUSE_MS = 300;
const MAX_PAUSE_MS = 700;
/** Ms after which results of checks are written. They change often while cells run. */
const CHECK_MS = 1000;
/** So many times what the last draft took, in ms, pass before the next one. */
const PAUSE_FACTOR = 10;
/** What JupyterLite may need to store a notebook: it writes the new one before it removes the old one. */
const BYTES_PER_CHARACTER = 4;
const MIN_ROOM_BYTES = 1024 * 1024;

export type NotebookContext = DocumentRegistry.IContext<INotebookModel>;

/** What was found when a notebook was opened. */
export type Found =
  /** A draft has been put into the notebook. */
  | { kind: 'recovered'; time: number; undo(): Promise<void> }
  /** A draft belongs to another state of the notebook, and is now a version. */
  | { kind: 'kept'; time: number; version: VersionId | null }
  /** The history has a newer state than JupyterLite, whose storage has lost it. */
  | { kind: 'lost'; time: number; version: VersionId }
  /** Another page has changes of this notebook that are not saved. */
  | { kind: 'elsewhere' };

export interface KeeperEvents {
  onFound(keeper: NotebookKeeper, found: Found): void;
  /** The second store has failed. The notebook itself is not affected. */
  onProblem(error: Error): void;
  counts(path: string): VersionCounts | null;
}

export class NotebookKeeper implements IDisposable {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private checkTimer: ReturnType<typeof setTimeout> | undefined;
  /** Ms that the last draft took. */
  private cost = 0;
  /** Hash of the notebook as it was last loaded or saved; empty while that is not known. */
  private base = '';
  private path: string;
  /** What is to be done with the history, one after the other. */
  private queue: Promise<unknown> = Promise.resolve();
  /** What is to be done with this page's draft. It does not wait for the history, which may take seconds on a busy computer. */
  private draftQueue: Promise<unknown> = Promise.resolve();
  private wasDirty = false;
  /** Whether a running cell has written something since the last save. JupyterLab counts appended text neither as a change nor as dirty. */
  private hasOutput = false;
  /** Whether a save that has failed is tried again. */
  private isSavingAgain = false;
  /** Whether it was said that another page edits this notebook. */
  private isShared = false;
  private lastState: nbformat.INotebookContent | null = null;
  /** The notebook as it was last loaded or saved; null if that is not known. */
  private saved: nbformat.INotebookContent | null = null;
  /** Whether it was found out how the notebook was loaded. */
  private isOpened = false;
  private readonly changedSignal = new Signal<this, void>(this);
  isDisposed = false;

  constructor(
    readonly context: NotebookContext,
    private readonly history: History,
    private readonly drafts: Drafts,
    private readonly events: KeeperEvents,
    /** Returns the notebook as it was loaded or saved; null if nobody has noted it. */
    private readonly stored: () => nbformat.INotebookContent | null = () => null,
  ) {
    this.path = context.path;
    context.saveState.connect(this.onSave, this);
    context.pathChanged.connect(this.onMove, this);
    context.disposed.connect(this.dispose, this);
    void context.ready.then(() => {
      if (!this.isDisposed) {
        context.model.contentChanged.connect(this.onChange, this);
        context.model.stateChanged.connect(this.onState, this);
        context.sessionContext.iopubMessage.connect(this.onMessage, this);
        this.onState(context.model);
        void this.add(() => this.open());
      }
    });
  }

  /** Emitted when a version or a draft was written. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  /** Hash of the notebook as it was last loaded or saved; empty while that is not known. */
  get savedHash(): string {
    return this.base;
  }

  /** Whether something was typed or run since the last save. A kernel's notes in the metadata make a notebook dirty too. */
  get isChanged(): boolean {
    const { saved, isOpened, context } = this;
    return context.model.dirty && (saved ? written(saved) !== written(this.content()) : isOpened);
  }

  /** The last version and the last draft are written when this resolves. */
  get settled(): Promise<unknown> {
    return this.queue.then(() => this.draftQueue);
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.isDisposed = true;
    this.clearTimer();
    const { lastState, path, wasDirty } = this;
    if (wasDirty && lastState) {
      void this.add(async () => {
        await this.history.keep(path, lastState, { kind: 'closed' });
        await this.addDraft(() => this.drafts.remove(path));
      });
    }
    Signal.clearData(this);
  }

  /** Writes the draft now, for example because the page is hidden and may end. */
  flush(): void {
    if (this.timer !== undefined) {
      this.clearTimer();
      void this.addDraft(() => this.writeDraft());
    }
  }

  /** The results of the checks have changed: the version of the present state gets them, once they are quiet. */
  checked(): void {
    this.checkTimer ??= setTimeout(() => {
      this.checkTimer = undefined;
      const counts = this.events.counts(this.path);
      if (counts && !this.isDisposed) {
        const content = this.content();
        void this.add(async () => this.history.note(this.path, (await takeApart(content)).hash, counts));
      }
    }, CHECK_MS);
  }

  /** Keeps the present state. Resolves when it is written. */
  async keep(kind: VersionKind): Promise<void> {
    const content = this.content();
    await this.add(() => this.history.keep(this.path, content, { kind, counts: this.events.counts(this.path) }));
  }

  /** Replaces the notebook, whose present state becomes a version first. @returns null: no file was made. */
  async replace(notebook: nbformat.INotebookContent): Promise<null> {
    await this.keep('replaced');
    // What a lab publishes seldom names the language, and then JupyterLab adds an empty name. Without the kernel's, cells lose their colours.
    const { language_info } = this.content().metadata;
    const isNamed = !language_info || notebook.metadata.language_info?.name;
    const metadata = isNamed ? notebook.metadata : { ...notebook.metadata, language_info };
    this.context.model.fromJSON({ ...notebook, metadata });
    this.context.model.dirty = true;
    return null;
  }

  content(): nbformat.INotebookContent {
    return this.context.model.toJSON() as nbformat.INotebookContent;
  }

  private onSave(_: unknown, state: DocumentRegistry.SaveState): void {
    if (state === 'failed' && !this.isDisposed && !this.isSavingAgain) {
      void this.add(() => this.saveAgain());
    }
    if (state === 'completed' && !this.isDisposed) {
      this.clearTimer();
      this.hasOutput = false;
      this.wasDirty = this.context.model.dirty;
      const content = this.content();
      this.saved = content;
      const { path } = this;
      this.base = ''; // until it is known: a copy of the state before is not one of this state
      void this.add(async () => {
        this.base = (await takeApart(content)).hash;
        await this.history.keep(path, content, { kind: 'saved', counts: this.events.counts(path) });
        if (!this.wasDirty) {
          await this.addDraft(() => this.drafts.remove(path));
        }
      });
    }
  }

  /** Saves a notebook once more for which the storage had no room, if old versions can make some. */
  private async saveAgain(): Promise<void> {
    const bytes = BYTES_PER_CHARACTER * JSON.stringify(this.content()).length + MIN_ROOM_BYTES;
    if (await this.history.makeRoomFor(bytes)) {
      this.isSavingAgain = true;
      try {
        await this.context.save();
      } finally {
        this.isSavingAgain = false;
      }
    }
  }

  /** JupyterLab calls this before the model is dirty, so that is looked at later. */
  private onChange(): void {
    this.timer ??= setTimeout(
      () => {
        this.timer = undefined;
        void this.addDraft(() => this.writeDraft());
      },
      Math.min(Math.max(MIN_PAUSE_MS, PAUSE_FACTOR * this.cost), MAX_PAUSE_MS),
    );
  }

  private onMessage(_: unknown, { header }: KernelMessage.IMessage): void {
    if (header.msg_type === 'stream') {
      this.hasOutput = true;
      this.onChange();
    }
  }

  private onState(model: INotebookModel): void {
    this.wasDirty ||= model.dirty;
  }

  private onMove(_: unknown, path: string): void {
    const from = this.path;
    this.path = path;
    void this.addDraft(() => this.drafts.remove(from));
    if (this.wasDirty) {
      this.onChange();
    }
  }

  private async writeDraft(): Promise<void> {
    if (this.isDisposed || !(this.context.model.dirty || this.hasOutput)) {
      return;
    }
    const begun = performance.now();
    const notebook = this.content();
    if (this.saved && areSameButForKernel(this.saved, notebook)) {
      // Also if something was typed and taken back: then its draft goes.
      await this.drafts.remove(this.path);
      return;
    }
    this.lastState = notebook;
    this.cost = performance.now() - begun;
    const draft = { time: Date.now(), path: this.path, base: this.base, notebook };
    await this.history.withRoom(() => this.drafts.write(draft));
    void this.lookElsewhere(); // the next draft does not wait for it
  }

  /** Compares the notebook with the history and with the drafts of pages that have ended. */
  private async open(): Promise<void> {
    const { path } = this;
    const present = this.content();
    const stored = this.stored();
    const loaded = stored ?? present;
    const { hash } = await takeApart(loaded);
    // The second store may open late, when something has been typed. A kernel's notes in the metadata make a notebook dirty too.
    const isTyped = stored ? written(stored) !== written(present) : this.context.model.dirty;
    const isKnown = stored !== null || !isTyped;
    this.base = isKnown ? hash : '';
    this.saved ??= isKnown ? loaded : null;
    this.isOpened = true;
    this.onChange();
    // What was never saved is not what JupyterLite's storage should have.
    const newest = (await this.history.versions(path)).find(({ kind }) => kind !== 'closed' && kind !== 'typed');
    const [latest, ...others] = await this.drafts.left(path);
    for (const { draft, discard } of others.reverse()) {
      await this.keepDraft(draft, loaded);
      await discard();
    }
    const fileTime = Date.parse(this.context.contentsModel?.last_modified ?? '') || 0;
    const isLost = !isTyped && newest !== undefined && newest.hash !== hash && newest.time > fileTime;
    if (!isTyped) {
      await this.history.keep(path, loaded, { kind: 'opened', time: isLost ? fileTime : undefined });
    }
    const version = latest ? await this.keepDraft(latest.draft, loaded) : null;
    const isOfLoaded = (draft: Draft): boolean => (draft.base === '' ? draft.time > fileTime : draft.base === hash);
    if (latest && isOfLoaded(latest.draft) && !isTyped) {
      this.recover(latest.draft, loaded);
    } else if (latest && (version?.hash ?? hash) !== hash) {
      this.events.onFound(this, { kind: 'kept', time: latest.draft.time, version });
    } else if (isLost) {
      this.events.onFound(this, { kind: 'lost', time: newest.time, version: newest });
    }
    await latest?.discard();
    await this.lookElsewhere();
  }

  private async lookElsewhere(): Promise<void> {
    if (this.isShared) {
      return;
    }
    const isElsewhere = await this.drafts.isEditedElsewhere(this.path).catch(() => false);
    if (isElsewhere && !this.isShared && !this.isDisposed) {
      this.isShared = true;
      this.events.onFound(this, { kind: 'elsewhere' });
    }
  }

  private keepDraft(draft: Draft, loaded: nbformat.INotebookContent): Promise<VersionId | null> {
    const notebook = completeDraft(draft.notebook, loaded);
    return this.history.keep(this.path, notebook, { kind: 'typed', time: draft.time });
  }

  private recover(draft: Draft, loaded: nbformat.INotebookContent): void {
    const notebook = completeDraft(draft.notebook, loaded);
    if (JSON.stringify(notebook.cells) === JSON.stringify(loaded.cells)) {
      return;
    }
    const { model } = this.context;
    model.fromJSON(notebook);
    model.dirty = true;
    this.onChange();
    this.events.onFound(this, {
      kind: 'recovered',
      time: draft.time,
      undo: async () => void (await this.replace(loaded)),
    });
  }

  private clearTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private add(task: () => Promise<unknown>): Promise<void> {
    const done = this.told(this.queue.then(task));
    this.queue = done;
    return done;
  }

  private addDraft(task: () => Promise<unknown>): Promise<void> {
    const done = this.told(this.draftQueue.then(task));
    this.draftQueue = done;
    return done;
  }

  /** Tells whether a task has succeeded. Never rejects. */
  private told(task: Promise<unknown>): Promise<void> {
    return task.then(
      () => this.changedSignal.emit(),
      (error: Error) => this.events.onProblem(error),
    );
  }
}
