/**
 * Finds new versions of labs, and brings them into students' notebooks.
 *
 * When a lab's notebook is opened for the first time, the second store remembers it as the site published it: the base against
 * which later versions, and what the student has changed, are compared.
 */
import type * as nbformat from '@jupyterlab/nbformat';
import type { Contents } from '@jupyterlab/services';

import { besideFile, type LabGate } from '../labs/gate';
import { isNewerVersion, parseManifest, type LabManifest } from '../runtime/manifest';
import type { WorkFiles } from './files';
import { pack, storedName, unpackJson } from './packing';
import { updateNotebook, type UpdateResult, type UpdateTexts } from './update';

const ROOT = 'bases';

interface Base {
  /** The lab's id. */
  lab: string;
  version: string;
  /** Path of the notebook on the site, which stays when the student renames their own. */
  shipped: string;
  /** Null if the student began before this was remembered. */
  notebook: nbformat.INotebookContent | null;
}

/** A new version of a notebook's lab. */
export interface LabUpdate {
  path: string;
  manifestPath: string;
  manifest: LabManifest;
  base: Base;
  notebook: nbformat.INotebookContent;
}

/** Reads what the site publishes. `ContentsFiles` is one. */
export interface SiteFiles {
  readSite(path: string, signal: AbortSignal): Promise<Uint8Array | null>;
}

export class LabUpdates {
  constructor(
    private readonly files: WorkFiles,
    private readonly site: string,
    private readonly siteFiles: SiteFiles,
    private readonly gate: Pick<LabGate, 'check'>,
    private readonly contents: Pick<Contents.IManager, 'getDownloadUrl' | 'delete' | 'rename'>,
  ) {}

  /** Returns the new version of a notebook's lab; null if there is none, or if the site cannot be reached. */
  async find(path: string): Promise<LabUpdate | null> {
    const verdict = await this.gate.check(path);
    if (verdict.kind !== 'lab') {
      return null;
    }
    const base = await this.base(path);
    let found: [LabManifest, nbformat.INotebookContent] | null;
    try {
      found = await this.published(verdict.lab.path, base?.shipped ?? path);
    } catch {
      return null; // offline: asked again at the next visit
    }
    if (!found) {
      return null;
    }
    const [manifest, notebook] = found;
    if (base?.lab !== manifest.id) {
      const isBegun = await this.isStored(path);
      const { id: lab, version } = manifest;
      await this.remember(path, { lab, version, shipped: path, notebook: isBegun ? null : notebook });
      return null;
    }
    return isNewerVersion(manifest.version, base.version)
      ? { path, manifestPath: verdict.lab.path, manifest, base, notebook }
      : null;
  }

  /** Returns what the notebook becomes. Changes nothing. */
  merge({ base, notebook }: LabUpdate, mine: nbformat.INotebookContent, texts: UpdateTexts): UpdateResult {
    return updateNotebook(base.notebook, mine, notebook, texts);
  }

  /**
   * The notebook has been updated. Copies of the lab's other files in the browser's storage, which would hide those of the site,
   * are renamed.
   *
   * @returns the paths of such copies.
   */
  async done({ path, manifestPath, manifest, base, notebook }: LabUpdate): Promise<string[]> {
    await this.remember(path, { ...base, version: manifest.version, notebook });
    const named = [manifest.rubric_path, manifest.starter_path, ...manifest.datasets.map(({ url }) => url)];
    const relative = named.filter(one => !/^[a-z]+:/i.test(one)).map(one => besideFile(manifestPath, decodeUrl(one)));
    const renamed: string[] = [];
    for (const file of new Set([manifestPath, ...relative])) {
      if (file !== base.shipped && file !== path && (await this.isStored(file))) {
        const copy = file.replace(/(\.[^./]*)?$/, end => `-before-${manifest.version}${end}`);
        await this.contents.rename(file, copy);
        renamed.push(copy);
      }
    }
    return renamed;
  }

  /** The update has been undone. */
  undone({ path, base }: LabUpdate): Promise<void> {
    return this.remember(path, base);
  }

  /** A notebook has another path now. */
  async renamed(from: string, to: string): Promise<void> {
    const base = await this.base(from);
    if (base) {
      await this.remember(to, base);
      await this.files.remove(await this.place(from));
    }
  }

  private async published(
    manifestPath: string,
    path: string,
  ): Promise<[LabManifest, nbformat.INotebookContent] | null> {
    const { signal } = new AbortController();
    const [manifest, notebook] = await Promise.all([
      this.siteFiles.readSite(manifestPath, signal),
      this.siteFiles.readSite(path, signal),
    ]);
    const parsed = manifest && parseManifest(new TextDecoder().decode(manifest));
    const content = notebook && (JSON.parse(new TextDecoder().decode(notebook)) as nbformat.INotebookContent);
    return parsed?.ok && Array.isArray(content?.cells) ? [parsed.manifest, content as nbformat.INotebookContent] : null;
  }

  /** Whether the browser's storage has a copy of a file. */
  private async isStored(path: string): Promise<boolean> {
    // JupyterLite's drive decodes the paths that it is given.
    const url = await this.contents.getDownloadUrl(path.replaceAll('%', '%25'));
    const isBlob = url.startsWith('blob:');
    if (isBlob) {
      URL.revokeObjectURL(url);
    }
    return isBlob;
  }

  private async base(path: string): Promise<Base | null> {
    return unpackJson<Base>(await this.files.read(await this.place(path)));
  }

  private async remember(path: string, base: Base): Promise<void> {
    await this.files.write(await this.place(path), await pack(JSON.stringify(base)));
  }

  private async place(path: string): Promise<string> {
    return `${ROOT}/${await storedName(this.site, path)}.gz`;
  }
}

function decodeUrl(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}
