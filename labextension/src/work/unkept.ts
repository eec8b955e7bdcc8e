/**
 * A notebook in a page without a second store: what is known of its work since it was opened.
 */
import type * as nbformat from '@jupyterlab/nbformat';

import type { NotebookContext } from './keeper';
import { takeApart, written } from './notebook_parts';

export class UnkeptNotebook {
  /** What the notebook said when it was opened. */
  private opened: string | null = null;
  private saved: string | null = null;
  savedHash = '';

  /** @param changed - called when something is typed, run or saved. */
  constructor(
    readonly context: NotebookContext,
    changed: () => void,
  ) {
    void context.ready.then(() => {
      if (!context.isDisposed) {
        this.opened = this.saved = this.written;
        context.model.contentChanged.connect(changed);
        context.model.stateChanged.connect(changed);
        changed();
      }
    });
    context.saveState.connect((_, state) => {
      if (state === 'completed' && !context.isDisposed) {
        this.saved = this.written;
        this.savedHash = ''; // until it is known
        // Without https there are no hashes, and no downloads either.
        void takeApart(this.content())
          .then(({ hash }) => (this.savedHash = hash))
          .catch(() => '')
          .then(changed);
      }
    });
  }

  get isDisposed(): boolean {
    return this.context.isDisposed;
  }

  /** Whether it is another notebook than it was when it was opened. */
  get hasWork(): boolean {
    return this.opened !== null && this.opened !== this.written;
  }

  /** Whether something was typed or run since the last save. */
  get isChanged(): boolean {
    return this.saved !== null && this.saved !== this.written;
  }

  private get written(): string {
    return written(this.content());
  }

  private content(): nbformat.INotebookContent {
    return this.context.model.toJSON() as nbformat.INotebookContent;
  }
}
