/**
 * What was typed and not saved, in the second store, so that it outlives a page that dies.
 *
 * Each page has a draft of its own for each notebook: `drafts/<notebook>/<page>.gz`. A page's lock says whether it still lives.
 */
import type * as nbformat from '@jupyterlab/nbformat';

import type { WorkFiles, WorkLocks } from './files';
import { sourceOf } from './compare';
import { pack, storedName, unpackJson } from './packing';

const ROOT = 'drafts';
const LOCK = 'browsergrad-page-';
/** JSON of a cell's outputs from this length on is left out, in characters: it would be written again at every change. */
const MAX_OUTPUTS_LENGTH = 64 * 1024;

export interface Draft {
  /** Ms since 1970. */
  time: number;
  path: string;
  /** Hash of the notebook as it was last loaded or saved. */
  base: string;
  /** Cells whose outputs were left out have `outputs: null`. */
  notebook: nbformat.INotebookContent;
}

export class Drafts {
  constructor(
    private readonly files: WorkFiles,
    private readonly locks: WorkLocks,
    private readonly site: string,
    /** Distinguishes this page from all others. */
    private readonly page: string,
  ) {
    locks.hold(LOCK + page);
  }

  async write({ notebook, ...draft }: Draft): Promise<void> {
    const cells = notebook.cells.map(cell =>
      JSON.stringify(cell.outputs ?? null).length < MAX_OUTPUTS_LENGTH ? cell : { ...cell, outputs: null },
    );
    const text = JSON.stringify({ ...draft, notebook: { ...notebook, cells } });
    await this.files.write(await this.place(draft.path), await pack(text));
  }

  /** Removes this page's draft. */
  async remove(path: string): Promise<void> {
    await this.files.remove(await this.place(path));
  }

  /** Returns the drafts of pages that have ended, newest first, and removes none. */
  async left(path: string): Promise<{ draft: Draft; discard(): Promise<void> }[]> {
    const folder = await this.folder(path);
    const found: { draft: Draft; discard(): Promise<void> }[] = [];
    for (const name of await this.files.list(folder)) {
      const page = name.replace(/\.gz$/, '');
      if (page === this.page || (await this.locks.isHeld(LOCK + page))) {
        continue;
      }
      const discard = (): Promise<void> => this.files.remove(`${folder}/${name}`);
      const draft = await this.read(`${folder}/${name}`);
      if (draft) {
        found.push({ draft, discard });
      } else {
        await discard();
      }
    }
    return found.sort((a, b) => b.draft.time - a.draft.time);
  }

  /** Whether another living page has changes of this notebook that are not saved. */
  async isEditedElsewhere(path: string): Promise<boolean> {
    for (const name of await this.files.list(await this.folder(path))) {
      const page = name.replace(/\.gz$/, '');
      if (page !== this.page && (await this.locks.isHeld(LOCK + page))) {
        return true;
      }
    }
    return false;
  }

  private async read(path: string): Promise<Draft | null> {
    const draft = await unpackJson<Draft>(await this.files.read(path));
    return draft && Array.isArray(draft.notebook?.cells) && typeof draft.time === 'number' ? draft : null;
  }

  private async folder(path: string): Promise<string> {
    return `${ROOT}/${await storedName(this.site, path)}`;
  }

  private async place(path: string): Promise<string> {
    return `${await this.folder(path)}/${this.page}.gz`;
  }
}

/** Returns a draft's notebook. Outputs that it leaves out are those of the same cell in `loaded`, if its code is the same. */
export function completeDraft(
  draft: nbformat.INotebookContent,
  loaded: nbformat.INotebookContent,
): nbformat.INotebookContent {
  const cells = draft.cells.map((cell, i) => {
    if (cell.cell_type !== 'code' || Array.isArray(cell.outputs)) {
      return cell;
    }
    const same = loaded.cells.find((one, k) => (cell.id === undefined ? k === i : one.id === cell.id));
    const isSame = same?.cell_type === 'code' && sourceOf(same) === sourceOf(cell);
    return { ...cell, outputs: isSame ? same.outputs : [] };
  });
  return { ...draft, cells };
}
