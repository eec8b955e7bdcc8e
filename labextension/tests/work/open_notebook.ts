/** A notebook that is open in JupyterLab, as far as students' work is concerned. */
import type * as nbformat from '@jupyterlab/nbformat';
import { Signal } from '@lumino/signaling';

import { sourceOf } from '../../src/work/compare';

export const PATH = 'lab.ipynb';

export function notebook(...sources: string[]): nbformat.INotebookContent {
  const cells = sources.map((source, i) => ({
    cell_type: 'code',
    id: `c${i}`,
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  }));
  return { nbformat: 4, nbformat_minor: 5, metadata: {}, cells };
}

/** A notebook that is open in JupyterLab. */
export class Context {
  isDisposed = false;
  path = PATH;
  readonly ready = Promise.resolve();
  readonly saveState = new Signal<this, string>(this);
  readonly pathChanged = new Signal<this, string>(this);
  readonly disposed = new Signal<this, void>(this);
  readonly sessionContext = { iopubMessage: new Signal<object, object>({}) };
  readonly model;
  contentsModel: { last_modified: string };

  constructor(
    public content: nbformat.INotebookContent,
    lastModified = 0,
  ) {
    this.contentsModel = { last_modified: new Date(lastModified).toISOString() };
    let dirty = false;
    const model = {
      get dirty() {
        return dirty;
      },
      set dirty(value: boolean) {
        dirty = value;
        stateChanged.emit();
      },
    };
    const contentChanged = new Signal<object, void>(model);
    const stateChanged = new Signal<object, void>(model);
    this.model = Object.assign(model, {
      contentChanged,
      stateChanged,
      toJSON: () => structuredClone(this.content),
      fromJSON: (value: nbformat.INotebookContent) => {
        this.content = structuredClone(value);
        contentChanged.emit(); // as in JupyterLab, before the model is dirty
        this.model.dirty = true;
      },
    });
  }

  type(...sources: string[]): void {
    this.model.fromJSON(notebook(...sources));
  }

  async save(): Promise<void> {
    this.model.dirty = false;
    this.saveState.emit('completed');
  }

  get sources(): string[] {
    return this.content.cells.map(sourceOf);
  }
}
