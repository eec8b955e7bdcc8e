/**
 * The versions of notebooks, in a second store beside JupyterLite's own.
 *
 * ```
 * history/<document>/name.json           which notebook it is
 * history/<document>/versions/<time>-<kind and hash>.gz
 * history/<document>/parts/<hash>.gz     long outputs, which versions share
 * ```
 * Each version is a file that is written once, so pages write at the same time without harm, and a crash loses at most the version
 * that was being written. Removing parts needs a lock, since a page may be about to refer to one.
 */
import type * as nbformat from '@jupyterlab/nbformat';

import type { WorkFiles, WorkLocks } from './files';
import { partsOf, putTogether, takeApart, type TakenApart } from './notebook_parts';
import { changedCells } from './compare';
import { hashOf, pack, storedName, unpack, unpackJson } from './packing';
import { superfluous } from './thinning';

const ROOT = 'history';
/** Most bytes of the whole history. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Versions of one notebook after which superfluous ones are removed. */
const TIDY_EVERY = 20;

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

interface StoredVersion extends VersionInfo {
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

export interface KeepOptions {
  kind: VersionKind;
  counts?: VersionCounts | null;
  time?: number;
}

export class History {
  /** The newest version of each document, as far as this page knows. */
  private readonly newest = new Map<string, { hash: string; rest: nbformat.INotebookContent }>();
  /** Versions written since superfluous ones were removed, by document. */
  private readonly written = new Map<string, number>();
  /** Parts that are known to be stored. */
  private readonly stored = new Set<string>();

  constructor(
    private readonly files: WorkFiles,
    private readonly locks: WorkLocks,
    /** The address of the site, without the origin. */
    private readonly site: string,
    private readonly maxBytes = MAX_BYTES,
  ) {}

  /** Keeps a notebook as the newest version. @returns null if it is the same as the newest one. */
  async keep(path: string, notebook: nbformat.INotebookContent, options: KeepOptions): Promise<VersionId | null> {
    const taken = await takeApart(notebook);
    const document = await this.documentOf(path);
    const made = await this.locks.shared(lockOf(document), () => this.write(document, path, taken, options));
    if (made) {
      const count = (this.written.get(document) ?? 0) + 1;
      this.written.set(document, count);
      if (count % TIDY_EVERY === 0) {
        await this.tidy(document);
      }
    }
    return made;
  }

  /** Returns the versions of a notebook, newest first, with those from before it was renamed. */
  async versions(path: string): Promise<VersionId[]> {
    return this.versionsOf(await this.documentOf(path));
  }

  async versionsOf(document: string): Promise<VersionId[]> {
    const found: VersionId[] = [];
    const seen = new Set<string>();
    for (let each: string | undefined = document; each && !seen.has(each); ) {
      seen.add(each);
      found.push(...(await this.ownVersions(each)));
      each = (await this.about(each))?.before;
    }
    return found.sort((a, b) => b.time - a.time);
  }

  /** Returns what is known of a version; null if it is damaged or gone. */
  async info(id: VersionId): Promise<VersionInfo | null> {
    const stored = await this.readStored(id);
    if (!stored) {
      return null;
    }
    const { notebook: _notebook, format: _format, ...info } = stored;
    return info;
  }

  /** Returns a version's notebook; null if it is damaged or gone. */
  async read(id: VersionId): Promise<nbformat.INotebookContent | null> {
    const stored = await this.readStored(id);
    return stored && putTogether(stored.notebook, hash => this.readPart(id.document, hash));
  }

  /** Returns all notebooks of which versions are kept, also those of other sites of this origin. */
  async documents(): Promise<KeptDocument[]> {
    const names = await this.files.list(ROOT);
    const all = await Promise.all(names.map(name => this.about(name)));
    return all.filter(one => one !== null);
  }

  /** The notebook or folder at `from` is now at `to`. */
  async renamed(from: string, to: string): Promise<void> {
    for (const { document: before, path } of await this.ownDocuments(from)) {
      const moved = to + path.slice(from.length);
      const document = await this.documentOf(moved);
      if (document !== before) {
        await this.describe({ document, site: this.site, path: moved, before });
      }
    }
  }

  /** The user has deleted the notebook or folder: versions stay, but no notebook is missing. */
  async deleted(path: string): Promise<void> {
    for (const about of await this.ownDocuments(path)) {
      await this.describe({ ...about, isDeleted: true });
    }
  }

  /** Returns this site's documents at a path or in the folder there. */
  private async ownDocuments(place: string): Promise<KeptDocument[]> {
    const all = await this.documents();
    return all.filter(({ site, path }) => site === this.site && (path === place || path.startsWith(`${place}/`)));
  }

  /** Returns the number of bytes of all versions. */
  async bytes(): Promise<number> {
    const sizes = (await this.files.list(ROOT)).map(async document => {
      const paths = await this.pathsOf(document);
      return sum(await Promise.all(paths.map(path => this.files.size(path))));
    });
    return sum(await Promise.all(sizes));
  }

  /** Removes superfluous versions of a notebook, and the parts that no version needs. */
  async tidy(document: string): Promise<void> {
    await this.locks.exclusive(lockOf(document), async () => {
      const dated = (await this.ownVersions(document)).map(id => ({ ...id, isMarked: id.kind !== 'saved' }));
      for (const { name } of superfluous(dated, Date.now())) {
        await this.files.remove(`${ROOT}/${document}/versions/${name}`);
      }
      await this.sweep(document);
    });
    await this.limitBytes();
  }

  /** Removes the oldest versions of all notebooks until the history is small enough. The newest of each stays. */
  private async limitBytes(): Promise<void> {
    let bytes = await this.bytes();
    if (bytes <= this.maxBytes) {
      return;
    }
    const documents = await this.files.list(ROOT);
    const old = (await Promise.all(documents.map(one => this.ownVersions(one)))).flatMap(ids => ids.slice(1));
    old.sort((a, b) => a.time - b.time);
    while (bytes > this.maxBytes && old.length) {
      // A tenth at a time, since what a version frees is known only when its parts have been removed.
      const some = old.splice(0, Math.max(1, Math.floor(old.length / 10)));
      for (const document of new Set(some.map(id => id.document))) {
        await this.locks.exclusive(lockOf(document), async () => {
          for (const { name } of some.filter(id => id.document === document)) {
            await this.files.remove(`${ROOT}/${document}/versions/${name}`);
          }
          await this.sweep(document);
        });
      }
      bytes = await this.bytes();
    }
  }

  /** Removes the parts that no version of a document needs. */
  private async sweep(document: string): Promise<void> {
    const parts = await this.files.list(`${ROOT}/${document}/parts`);
    if (!parts.length) {
      return;
    }
    const needed = new Set<string>();
    for (const id of await this.ownVersions(document)) {
      const stored = await this.readStored(id);
      (stored ? partsOf(stored.notebook) : []).forEach(hash => needed.add(`${hash}.gz`));
    }
    for (const name of parts.filter(one => !needed.has(one))) {
      this.stored.delete(`${document}/${name}`);
      await this.files.remove(`${ROOT}/${document}/parts/${name}`);
    }
  }

  private async write(
    document: string,
    path: string,
    { rest, parts, hash }: TakenApart,
    { kind, counts = null, time = Date.now() }: KeepOptions,
  ): Promise<VersionId | null> {
    const last = await this.last(document, path);
    if (last?.hash === hash) {
      return null;
    }
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
    const info: VersionInfo = {
      time,
      kind,
      hash,
      cells: rest.cells.length,
      changed: last ? changedCells(last.rest, rest) : null,
      counts,
    };
    const version: StoredVersion = { format: 1, ...info, notebook: rest };
    const name = `${String(time).padStart(15, '0')}-${LETTERS[kind]}${hash}.gz`;
    await this.files.write(`${ROOT}/${document}/versions/${name}`, await pack(JSON.stringify(version)));
    this.newest.set(document, { hash, rest });
    return { document, name, time, kind, hash };
  }

  /** Returns the newest version, which another page may have written. Describes the document if it is new. */
  private async last(
    document: string,
    path: string,
  ): Promise<{ hash: string; rest: nbformat.INotebookContent } | undefined> {
    const about = await this.about(document);
    if (!about || about.isDeleted) {
      await this.describe({ ...about, document, site: this.site, path, isDeleted: undefined });
    }
    const [id] = await this.versionsOf(document);
    const known = this.newest.get(document);
    if (!id || known?.hash === id.hash) {
      return id && known;
    }
    const stored = await this.readStored(id);
    return stored ? { hash: stored.hash, rest: stored.notebook } : undefined;
  }

  private async ownVersions(document: string): Promise<VersionId[]> {
    const names = await this.files.list(`${ROOT}/${document}/versions`);
    return names
      .flatMap(name => {
        const match = /^(\d{15})-(\w)([0-9a-f]{32})\.gz$/.exec(name);
        const kind = KINDS.get(match?.[2] ?? '');
        return match && kind ? [{ document, name, time: Number(match[1]), kind, hash: match[3] }] : [];
      })
      .sort((a, b) => b.time - a.time);
  }

  private async readStored({ document, name }: VersionId): Promise<StoredVersion | null> {
    const stored = await unpackJson<StoredVersion>(await this.files.read(`${ROOT}/${document}/versions/${name}`));
    // A damaged one is left out: the other versions are whole.
    return stored?.format === 1 && Array.isArray(stored.notebook?.cells) ? stored : null;
  }

  private async readPart(document: string, hash: string): Promise<string | null> {
    const data = await this.files.read(`${ROOT}/${document}/parts/${hash}.gz`);
    try {
      const text = data && (await unpack(data));
      return text !== null && (await hashOf(text)) === hash ? text : null;
    } catch {
      return null;
    }
  }

  private async about(document: string): Promise<KeptDocument | null> {
    const data = await this.files.read(`${ROOT}/${document}/name.json`);
    try {
      const about = data && (JSON.parse(new TextDecoder().decode(data)) as KeptDocument);
      return about && typeof about.path === 'string' ? { ...about, document } : null;
    } catch {
      return null;
    }
  }

  private describe(about: KeptDocument): Promise<void> {
    return this.files.write(`${ROOT}/${about.document}/name.json`, new TextEncoder().encode(JSON.stringify(about)));
  }

  private async pathsOf(document: string): Promise<string[]> {
    const folders = ['versions', 'parts'].map(async folder => {
      const path = `${ROOT}/${document}/${folder}`;
      return (await this.files.list(path)).map(name => `${path}/${name}`);
    });
    return (await Promise.all(folders)).flat();
  }

  private documentOf(path: string): Promise<string> {
    return storedName(this.site, path);
  }
}

function lockOf(document: string): string {
  return `browsergrad-history-${document}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
