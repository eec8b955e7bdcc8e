/**
 * The second store of this page, and the keepers of its open notebooks.
 */
import type * as nbformat from '@jupyterlab/nbformat';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';

import type { WorkFiles, WorkLocks } from './files';
import { Drafts } from './drafts';
import { NoWorkFiles } from './files';
import { History } from './history';
import { NotebookKeeper, type KeeperEvents, type NotebookContext } from './keeper';
import { UnkeptNotebook } from './unkept';

export type WorkState =
  | { kind: 'opening' }
  | { kind: 'open'; files: WorkFiles; history: History; drafts: Drafts }
  /** Nothing is kept. */
  | { kind: 'none'; error: NoWorkFiles };

export interface WorkEvents extends KeeperEvents {
  /** Old versions were deleted since the browser's storage is full. */
  onGivenBack(): void;
}

export class Work {
  private readonly keepers = new Map<NotebookContext, NotebookKeeper>();
  /** Notebooks without a keeper, as they were loaded or saved. The second store may open later, when something has been typed. */
  private readonly stored = new WeakMap<NotebookContext, nbformat.INotebookContent>();
  /** Open notebooks of a page without a second store. */
  private readonly unkept = new Map<NotebookContext, UnkeptNotebook>();
  private readonly changedSignal = new Signal<this, void>(this);
  private readonly followedSignal = new Signal<this, NotebookKeeper>(this);
  state: WorkState = { kind: 'opening' };
  /** The last failure of a store that could be opened. */
  problem: Error | null = null;

  constructor(
    private readonly tracker: INotebookTracker,
    private readonly locks: WorkLocks,
    private readonly site: string,
    private readonly events: WorkEvents,
  ) {
    tracker.forEach(panel => this.note(panel));
    tracker.widgetAdded.connect((_, panel) => this.note(panel));
  }

  /** Emitted when a notebook is followed. */
  get followed(): ISignal<this, NotebookKeeper> {
    return this.followedSignal;
  }

  /** Emitted when a version or draft was written, and when the state has changed. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  async open(openFiles: () => Promise<WorkFiles>): Promise<void> {
    try {
      const files = await openFiles();
      const history = new History(files, this.locks, this.site);
      history.onGivenBack = () => this.events.onGivenBack();
      this.state = {
        kind: 'open',
        files,
        history,
        drafts: new Drafts(files, this.locks, this.site, crypto.randomUUID()),
      };
    } catch (error) {
      const known = error instanceof NoWorkFiles ? error : new NoWorkFiles('failed', (error as Error).message);
      this.state = { kind: 'none', error: known };
    }
    this.changedSignal.emit();
    this.tracker.forEach(panel => this.follow(panel));
    this.tracker.widgetAdded.connect((_, panel) => this.follow(panel));
    document.addEventListener('visibilitychange', () => document.hidden && this.flush());
    window.addEventListener('pagehide', () => this.flush());
  }

  keeper(panel: NotebookPanel | null): NotebookKeeper | undefined {
    return panel ? this.keepers.get(panel.context) : undefined;
  }

  /** Returns what is known of the work in a notebook, with a second store or without. */
  known(panel: NotebookPanel): NotebookKeeper | UnkeptNotebook | undefined {
    return this.keepers.get(panel.context) ?? this.unkept.get(panel.context);
  }

  /** Writes all drafts now. */
  flush(): void {
    this.keepers.forEach(keeper => keeper.flush());
  }

  /** The results of the checks of a notebook have changed. */
  checked(path: string): void {
    for (const keeper of this.keepers.values()) {
      if (keeper.context.path === path) {
        keeper.checked();
      }
    }
  }

  /** Something that the status shows has changed. */
  tell(): void {
    this.changedSignal.emit();
  }

  private note({ context }: NotebookPanel): void {
    const take = (): void => {
      this.stored.set(context, context.model.toJSON() as nbformat.INotebookContent);
    };
    void context.ready.then(() => context.isDisposed || take());
    context.saveState.connect((_, state) => state === 'completed' && this.stored.has(context) && take());
  }

  private follow({ context }: NotebookPanel): void {
    if (this.state.kind === 'none' && !this.unkept.has(context)) {
      this.unkept.set(context, new UnkeptNotebook(context, () => this.changedSignal.emit()));
      context.disposed.connect(() => this.unkept.delete(context));
    }
    if (this.state.kind !== 'open' || this.keepers.has(context)) {
      return;
    }
    const { history, drafts } = this.state;
    const events = {
      ...this.events,
      onProblem: (error: Error): void => {
        this.problem = error;
        this.events.onProblem(error);
        this.changedSignal.emit();
      },
    };
    const takeStored = (): nbformat.INotebookContent | null => {
      const content = this.stored.get(context) ?? null;
      this.stored.delete(context); // the keeper follows what is saved from here on
      return content;
    };
    const keeper = new NotebookKeeper(context, history, drafts, events, takeStored);
    this.keepers.set(context, keeper);
    keeper.changed.connect(() => this.changedSignal.emit());
    context.disposed.connect(() => this.keepers.delete(context));
    this.followedSignal.emit(keeper);
  }
}
