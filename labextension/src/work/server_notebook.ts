import { PathExt } from '@jupyterlab/coreutils';
import type * as nbformat from '@jupyterlab/nbformat';
import type { Contents } from '@jupyterlab/services';

import { stampOf } from './folder_files';
import type { NotebookContext } from './keeper';
import { exists } from './places';
import type { UpdatableNotebook } from './update_actions';

/** A notebook on a server, which has no history: what an update replaces is kept as a file beside it. */
export class ServerNotebook implements UpdatableNotebook {
  constructor(
    readonly context: NotebookContext,
    private readonly contents: Contents.IManager,
  ) {}

  get isDisposed(): boolean {
    return this.context.isDisposed;
  }

  content(): nbformat.INotebookContent {
    return this.context.model.toJSON() as nbformat.INotebookContent;
  }

  async replace(notebook: nbformat.INotebookContent): Promise<string> {
    const { path, model } = this.context;
    const stem = `${path.replace(/\.ipynb$/, '')}-before-${stampOf(new Date())}`;
    let copy = `${stem}.ipynb`;
    for (let number = 2; await exists(this.contents, copy); number++) {
      copy = `${stem}-${number}.ipynb`;
    }
    await this.contents.save(copy, { type: 'notebook', format: 'json', content: this.content() });
    model.fromJSON(notebook);
    model.dirty = true;
    return PathExt.basename(copy);
  }
}
