/**
 * The command *Keep a folder in step*.
 */
import { Notification, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type * as nbformat from '@jupyterlab/nbformat';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Copies } from './copies';
import { FolderCopy } from './folder_copy';
import type { NotebookKeeper } from './keeper';
import { takeApart } from './notebook_parts';
import type { Work } from './work';

/** The function of Chromium that lets its user choose a folder. */
type Picker = (options: { id: string; mode: 'readwrite' }) => Promise<FileSystemDirectoryHandle>;

function picker(): Picker | undefined {
  return (globalThis as { showDirectoryPicker?: Picker }).showDirectoryPicker;
}

export class FolderActions {
  private folder: FolderCopy | null = null;
  /** What is to be written, one after the other. */
  private queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly work: Work,
    private readonly copies: () => Copies | null,
    private readonly trans: TranslationBundle,
  ) {
    work.followed.connect((_, keeper) => {
      keeper.context.saveState.connect((_context, state) => {
        if (state === 'completed') {
          void this.copy(keeper);
        }
      });
    });
  }

  /** Whether the browser lets pages write into folders. */
  get isPossible(): boolean {
    return picker() !== undefined;
  }

  get isActive(): boolean {
    return this.folder !== null;
  }

  /** Lets the user choose a folder, and copies the front notebook into it; if there is one already, ends that. */
  async toggle(keeper: NotebookKeeper | undefined): Promise<void> {
    const { trans } = this;
    if (this.folder) {
      this.folder = null;
      return;
    }
    try {
      const handle = await picker()!({ id: 'browsergrad-work', mode: 'readwrite' });
      this.folder = new FolderCopy(handle);
    } catch (error) {
      if ((error as Error).name !== 'AbortError') {
        await showErrorMessage(trans.__('Keep a folder in step'), (error as Error).message);
      }
      return;
    }
    const text = trans.__(
      'Each saved notebook goes into the folder “%1” as well, until this page is closed.',
      this.folder.name,
    );
    Notification.success(text, { autoClose: 10_000 });
    await (keeper && this.copy(keeper));
  }

  /** Copies the present state, after those that were to be copied before. */
  private copy(keeper: NotebookKeeper): Promise<void> {
    const { folder } = this;
    if (!folder || keeper.isDisposed) {
      return Promise.resolve();
    }
    const [{ path }, content] = [keeper.context, keeper.content()];
    this.queue = this.queue.then(() => this.write(folder, path, content));
    return this.queue;
  }

  /** Never rejects. */
  private async write(folder: FolderCopy, path: string, content: nbformat.INotebookContent): Promise<void> {
    const { trans } = this;
    if (folder !== this.folder) {
      return;
    }
    try {
      const text = JSON.stringify(content, null, 1);
      const { hash } = await takeApart(content);
      const aside = await folder.write(path, new TextEncoder().encode(`${text}\n`));
      await this.copies()?.made(path, { time: Date.now(), hash, folder: folder.name });
      this.work.tell();
      if (aside) {
        Notification.info(trans.__('The folder had another %1, which is now %2.', PathExt.basename(path), aside), {
          autoClose: false,
        });
      }
    } catch (error) {
      this.folder = null;
      const message = trans.__('The folder is no longer kept in step: %1', (error as Error).message);
      Notification.error(message, { autoClose: false });
    }
  }
}
