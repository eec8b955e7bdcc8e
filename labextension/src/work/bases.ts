/**
 * Remembers each lab's notebook as its author published it when the student began: the base against which later versions, and what the
 * student has changed, are compared.
 */
import { PageConfig } from '@jupyterlab/coreutils';
import type * as nbformat from '@jupyterlab/nbformat';

import type { WorkFiles } from './files';
import { pack, storedName, unpackJson } from './packing';

const ROOT = 'bases';

export interface Base {
  /** The lab's id. */
  lab: string;
  version: string;
  /** Path of the notebook where it is published, which stays when the student renames their own. */
  shipped: string;
  /** Null if the student began before this was remembered. */
  notebook: nbformat.INotebookContent | null;
}

/** Returns the address of the site, without the origin. */
export function siteAddress(): string {
  return new URL(PageConfig.getBaseUrl(), location.href).pathname;
}

export class Bases {
  constructor(
    private readonly files: WorkFiles,
    /** The address of the site, without the origin. */
    private readonly site: string,
  ) {}

  /** Returns the base of the student's notebook at a path; null if none is known. */
  async of(path: string): Promise<Base | null> {
    return unpackJson<Base>(await this.files.read(await this.place(path)));
  }

  async remember(path: string, base: Base): Promise<void> {
    await this.files.write(await this.place(path), await pack(JSON.stringify(base)));
  }

  /** A notebook has another path now. */
  async renamed(from: string, to: string): Promise<void> {
    const base = await this.of(from);
    if (base) {
      await this.remember(to, base);
      await this.files.remove(await this.place(from));
    }
  }

  private async place(path: string): Promise<string> {
    return `${ROOT}/${await storedName(this.site, path)}.gz`;
  }
}
