/**
 * The files of the history in the second store, and how they are written and read.
 *
 * ```
 * history/<document>/name.json           which notebook it is
 * history/<document>/versions/<time>-<kind and hash>.gz
 * history/<document>/parts/<hash>.gz     long outputs, which versions share
 * ```
 */
import type * as nbformat from '@jupyterlab/nbformat';

import type { WorkFiles } from './files';
import { partsOf, type TakenApart } from './notebook_parts';
import { hashOf, pack, unpack, unpackJson } from './packing';

const ROOT = 'history';

/** Why a version was kept. */
export type VersionKind =
  | 'saved'
  | 'opened' // as it was before this page changed it
  | 'typed' // never saved: the page had ended before
  | 'replaced' // before something replaced the notebook
  | 'closed'; // closed without saving

export interface VersionCounts {
  pass: number;
  fail: number;
  error: number;
}

/** What the history knows of a version without its notebook. */
export interface VersionInfo {
  time: number;
  kind: VersionKind;
  hash: string;
  cells: number;
  /** Cells that differ from the version before; null for the first one. */
  changed: number | null;
  /** Results of the checks in its cells; null if there are none. */
  counts: VersionCounts | null;
}

/** A version's place in the store. */
export interface VersionId {
  document: string;
  name: string;
  time: number;
  kind: VersionKind;
  hash: string;
}

/** The letters of the kinds in names of files. */
const LETTERS: Record<VersionKind, string> = { saved: 's', opened: 'o', typed: 't', replaced: 'r', closed: 'c' };
const KINDS = new Map(Object.entries(LETTERS).map(([kind, letter]) => [letter, kind as VersionKind]));

export interface StoredVersion extends VersionInfo {
  format: 1;
  notebook: nbformat.INotebookContent;
}

/** A notebook of which versions are kept. */
export interface KeptDocument {
  document: string;
  /** The address of the site, without the origin. */
  site: string;
  path: string;
  /** The document that it was before it was renamed. */
  before?: string;
  /** Whether its user has deleted it. */
  isDeleted?: boolean;
}

export class HistoryFiles {
  /** Parts that are known to be stored. */
  private readonly stored = new Set<string>();

  constructor(private readonly files: WorkFiles) {}

  /** Returns the names of all documents. */
  list(): Promise<string[]> {
    return this.files.list(ROOT);
  }

  /** Returns the versions of a document, newest first. */
  async versions(document: string): Promise<VersionId[]> {
    const names = await this.files.list(`${ROOT}/${document}/versions`);
    return names
      .flatMap(name => {
        const match = /^(\d{15})-(\w)([0-9a-f]{32})\.gz$/.exec(name);
        const kind = KINDS.get(match?.[2] ?? '');
        return match && kind ? [{ document, name, time: Number(match[1]), kind, hash: match[3] }] : [];
      })
      .sort((a, b) => b.time - a.time);
  }

  /** Returns a version; null if it is damaged or gone. */
  async version({ document, name }: VersionId): Promise<StoredVersion | null> {
    const stored = await unpackJson<StoredVersion>(await this.files.read(`${ROOT}/${document}/versions/${name}`));
    // A damaged one is left out: the other versions are whole.
    return stored?.format === 1 && Array.isArray(stored.notebook?.cells) ? stored : null;
  }

  /** Returns the text of a part; null if it is damaged or gone. */
  async part(document: string, hash: string): Promise<string | null> {
    const data = await this.files.read(`${ROOT}/${document}/parts/${hash}.gz`);
    try {
      const text = data && (await unpack(data));
      return text !== null && (await hashOf(text)) === hash ? text : null;
    } catch {
      return null;
    }
  }

  /** Returns which notebook a document is; null if that is damaged or gone. */
  async about(document: string): Promise<KeptDocument | null> {
    const data = await this.files.read(`${ROOT}/${document}/name.json`);
    try {
      const about = data && (JSON.parse(new TextDecoder().decode(data)) as KeptDocument);
      return about && typeof about.path === 'string' ? { ...about, document } : null;
    } catch {
      return null;
    }
  }

  describe(about: KeptDocument): Promise<void> {
    return this.files.write(`${ROOT}/${about.document}/name.json`, new TextEncoder().encode(JSON.stringify(about)));
  }

  private async pathsOf(document: string): Promise<string[]> {
    const folders = ['versions', 'parts'].map(async folder => {
      const path = `${ROOT}/${document}/${folder}`;
      return (await this.files.list(path)).map(name => `${path}/${name}`);
    });
    return (await Promise.all(folders)).flat();
  }

  /** Removes the parts that no version of a document needs, and what ended pages left half written. */
  async sweep(document: string): Promise<void> {
    for (const folder of ['versions', 'parts']) {
      await this.files.removeUnfinished(`${ROOT}/${document}/${folder}`);
    }
    const parts = await this.files.list(`${ROOT}/${document}/parts`);
    if (!parts.length) {
      return;
    }
    const needed = new Set<string>();
    for (const id of await this.versions(document)) {
      const stored = await this.version(id);
      (stored ? partsOf(stored.notebook) : []).forEach(hash => needed.add(`${hash}.gz`));
    }
    for (const name of parts.filter(one => !needed.has(one))) {
      this.stored.delete(`${document}/${name}`);
      await this.files.remove(`${ROOT}/${document}/parts/${name}`);
    }
  }

  /** Returns the number of bytes of all versions. */
  async bytes(): Promise<number> {
    const sizes = (await this.list()).map(async document => {
      const paths = await this.pathsOf(document);
      return sum(await Promise.all(paths.map(path => this.files.size(path))));
    });
    return sum(await Promise.all(sizes));
  }

  async removeVersion({ document, name }: VersionId): Promise<void> {
    await this.files.remove(`${ROOT}/${document}/versions/${name}`);
  }

  /** Writes the parts that are not stored yet. They are written before the version that refers to them. */
  async writeParts(document: string, parts: TakenApart['parts']): Promise<void> {
    for (const [part, text] of parts) {
      const name = `${document}/${part}.gz`;
      if (!this.stored.has(name)) {
        const place = `${ROOT}/${document}/parts/${part}.gz`;
        if (!(await this.files.size(place))) {
          await this.files.write(place, await pack(text));
        }
        this.stored.add(name);
      }
    }
  }

  async writeVersion(document: string, info: VersionInfo, notebook: nbformat.INotebookContent): Promise<VersionId> {
    const { time, kind, hash } = info;
    const version: StoredVersion = { format: 1, ...info, notebook };
    const name = `${String(time).padStart(15, '0')}-${LETTERS[kind]}${hash}.gz`;
    await this.files.write(`${ROOT}/${document}/versions/${name}`, await pack(JSON.stringify(version)));
    return { document, name, time, kind, hash };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
