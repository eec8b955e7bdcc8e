/**
 * Finds new versions of labs on the site, and brings them into students' notebooks.
 */
import type * as nbformat from '@jupyterlab/nbformat';
import type { Contents } from '@jupyterlab/services';

import { besideFile, type LabGate } from '../labs/gate';
import { isNewerVersion, parseManifest, type LabManifest } from '../runtime/manifest';
import { Bases, type Base } from './bases';
import type { WorkFiles } from './files';
import { updateNotebook, type UpdateResult, type UpdateTexts } from './update';

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

/** Finds and makes updates. */
export interface Updates {
  /** Returns the new version of a notebook's lab; null if there is none, or if it cannot be reached. */
  find(path: string): Promise<LabUpdate | null>;
  /** Returns what the notebook becomes. Changes nothing. */
  merge(update: LabUpdate, mine: nbformat.INotebookContent, texts: UpdateTexts): UpdateResult;
  /** The notebook has been updated: updates the lab's other files. @returns the paths of copies that were made of the student's. */
  done(update: LabUpdate): Promise<string[]>;
  /** The update has been undone. */
  undone(update: LabUpdate): Promise<void>;
}

/** Updates from the site, in JupyterLite. */
export class LabUpdates implements Updates {
  private readonly bases: Bases;

  constructor(
    files: WorkFiles,
    site: string,
    private readonly siteFiles: SiteFiles,
    private readonly gate: Pick<LabGate, 'check'>,
    private readonly contents: Pick<Contents.IManager, 'getDownloadUrl' | 'delete' | 'rename'>,
  ) {
    this.bases = new Bases(files, site);
  }

  async find(path: string): Promise<LabUpdate | null> {
    const verdict = await this.gate.check(path);
    if (verdict.kind !== 'lab') {
      return null;
    }
    const base = await this.bases.of(path);
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
      await this.bases.remember(path, { lab, version, shipped: path, notebook: isBegun ? null : notebook });
      return null;
    }
    return isNewerVersion(manifest.version, base.version)
      ? { path, manifestPath: verdict.lab.path, manifest, base, notebook }
      : null;
  }

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
    await this.bases.remember(path, { ...base, version: manifest.version, notebook });
    const relative = filesOfLab(manifest).map(one => besideFile(manifestPath, one));
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

  undone({ path, base }: LabUpdate): Promise<void> {
    return this.bases.remember(path, base);
  }

  /** A notebook has another path now. */
  renamed(from: string, to: string): Promise<void> {
    return this.bases.renamed(from, to);
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
    return readPublished(manifest, notebook);
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
}

/** Reads a published lab; null if one of its two files is missing or is not what it should be. */
export function readPublished(
  manifest: Uint8Array | null,
  notebook: Uint8Array | null,
): [LabManifest, nbformat.INotebookContent] | null {
  const parsed = manifest && parseManifest(new TextDecoder().decode(manifest));
  const content = notebook && (JSON.parse(new TextDecoder().decode(notebook)) as nbformat.INotebookContent);
  return parsed?.ok && Array.isArray(content?.cells) ? [parsed.manifest, content as nbformat.INotebookContent] : null;
}

/** Returns the paths of the lab's own files beside its manifest and notebook: rubric, starter and datasets. */
export function filesOfLab({ rubric_path, starter_path, datasets }: LabManifest): string[] {
  const named = [rubric_path, starter_path, ...datasets.map(({ url }) => url)];
  return [...new Set(named.filter(one => !/^[a-z]+:/i.test(one)).map(decodeUrl))];
}

function decodeUrl(url: string): string {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
}
