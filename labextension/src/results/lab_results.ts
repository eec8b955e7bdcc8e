/**
 * All assertions of the open notebooks: those in the outputs of cells, and the sets that were given to `show`.
 */
import type { CodeCellModel } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal, type ISignal } from '@lumino/signaling';

import type { AssertionsContent } from '../runtime/events';
import { assertionsOf, merge } from './cells';
import type { ILabResults } from './tokens';

/** The assertions of one cell, or of one heading given to `show`. */
export interface ResultsGroup {
  heading: string;
  cell_id: string | null;
  execution_count: number | null;
  content: AssertionsContent;
}

/** The results that are exported, and sent to an embedding page. */
export interface ResultsSummary {
  path: string;
  counts: AssertionsContent['counts'];
  groups: (Omit<ResultsGroup, 'content'> & AssertionsContent)[];
}

/** Most characters of a cell's first line in its heading. */
const MAX_HEADING_LENGTH = 60;

function isCode(model: { type: string }): model is CodeCellModel {
  return model.type === 'code';
}

export class LabResults implements ILabResults {
  private readonly shown = new Map<string, Map<string, AssertionsContent>>();
  private readonly _changed = new Signal<this, string>(this);

  constructor(
    private readonly tracker: INotebookTracker | null,
    private readonly cellTitle: (number: number) => string,
  ) {
    tracker?.widgetAdded.connect((_, panel) => this.watch(panel));
    tracker?.forEach(panel => this.watch(panel));
  }

  /** Emits a notebook's path, often while cells run. */
  get changed(): ISignal<this, string> {
    return this._changed;
  }

  show(path: string, source: string, content: AssertionsContent): void {
    const sets = this.shown.get(path) ?? new Map<string, AssertionsContent>();
    sets.delete(source);
    sets.set(source, content);
    this.shown.set(path, sets);
    this._changed.emit(path);
  }

  summary(path: string): AssertionsContent['counts'] | null {
    const groups = this.groups(path);
    return groups.length ? merge(groups.map(group => group.content)).counts : null;
  }

  /** Returns the notebook's groups: first the sets given to `show`, then the cells in their order. */
  groups(path: string): ResultsGroup[] {
    const groups: ResultsGroup[] = [...(this.shown.get(path) ?? [])].map(([heading, content]) => ({
      heading,
      cell_id: null,
      execution_count: null,
      content,
    }));
    const cells = this.panel(path)?.content.model?.cells;
    for (let i = 0; cells && i < cells.length; i++) {
      const model = cells.get(i);
      const content = isCode(model) ? assertionsOf(model) : null;
      if (isCode(model) && content) {
        const [line] = model.sharedModel.getSource().trimStart().split('\n', 1);
        groups.push({
          heading: `${this.cellTitle(i + 1)}: ${line.slice(0, MAX_HEADING_LENGTH)}`,
          cell_id: model.id,
          execution_count: model.executionCount ?? null,
          content,
        });
      }
    }
    return groups;
  }

  /** Returns all results of a notebook, as JSON. */
  full(path: string): ResultsSummary {
    const groups = this.groups(path);
    return {
      path,
      counts: merge(groups.map(group => group.content)).counts,
      groups: groups.map(({ content, ...group }) => ({ ...group, ...content })),
    };
  }

  panel(path: string): NotebookPanel | undefined {
    return this.tracker?.find(panel => panel.context.path === path);
  }

  private watch(panel: NotebookPanel): void {
    const emit = (): void => {
      if (!panel.isDisposed) {
        this._changed.emit(panel.context.path);
      }
    };
    const watched = new WeakSet<CodeCellModel>();
    void panel.context.ready.then(() => {
      const cells = panel.content.model?.cells;
      if (!cells) {
        return;
      }
      const follow = (): void => {
        for (let i = 0; i < cells.length; i++) {
          const model = cells.get(i);
          if (isCode(model) && !watched.has(model)) {
            watched.add(model);
            model.outputs.changed.connect(emit);
          }
        }
        emit();
      };
      cells.changed.connect(follow);
      follow();
    });
    let { path } = panel.context;
    panel.context.pathChanged.connect((_, renamed) => {
      const sets = this.shown.get(path);
      if (sets) {
        this.shown.delete(path);
        this.shown.set(renamed, sets);
      }
      path = renamed;
      emit();
    });
  }
}
