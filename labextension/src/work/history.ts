/**
 * The versions of notebooks, in a second store beside JupyterLite's own.
 *
 * Each version is a file that is written once, so pages write at the same time without harm, and a crash loses at most the version
 * that was being written. Removing parts needs a lock, since a page may be about to refer to one.
 */
import type * as nbformat from '@jupyterlab/nbformat';

import { changedCells } from './compare';
import { NoWorkFiles, type WorkFiles, type WorkLocks } from './files';
import {
  HistoryFiles,
  type KeptDocument,
  type VersionCounts,
  type VersionId,
  type VersionInfo,
  type VersionKind,
} from './history_files';
import { putTogether, takeApart, type TakenApart } from './notebook_parts';
import { storedName } from './packing';
import { superfluous } from './thinning';

export type { KeptDocument, VersionCounts, VersionId, VersionInfo, VersionKind } from './history_files';

/** Most bytes of the whole history. */
const MAX_BYTES = 64 * 1024 * 1024;
/** Versions of one notebook after which superfluous ones are removed. */
const TIDY_EVERY = 20;
/** Bytes that stay free for what JupyterLite saves: the history gives back old versions instead. */
const RESERVE_BYTES = 4 * 1024 * 1024;
/** Fewest bytes that are given back at a time. */
const MIN_GIVEN_BACK = 1024 * 1024;

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
  private readonly layout: HistoryFiles;
  /** Time of the last version that this page has written. */
  private lastTime = 0;
  /** Called when versions were deleted since the browser's storage is full. */
  onGivenBack: () => void = () => undefined;

  constructor(
    private readonly files: WorkFiles,
    private readonly locks: WorkLocks,
    /** The address of the site, without the origin. */
    private readonly site: string,
    private readonly maxBytes = MAX_BYTES,
  ) {
    this.layout = new HistoryFiles(files);
  }

  /**
   * Keeps a notebook as the newest version. If the browser's storage is full, the oldest versions of all notebooks make room.
   *
   * @returns null if it is the same as the newest one.
   * @throws NoWorkFiles
   */
  async keep(path: string, notebook: nbformat.INotebookContent, options: KeepOptions): Promise<VersionId | null> {
    const taken = await takeApart(notebook);
    const document = await this.documentOf(path);
    const made = await this.withRoom(() =>
      this.locks.shared(lockOf(document), () => this.write(document, path, taken, options)),
    );
    if (made) {
      await this.makeRoomFor(RESERVE_BYTES);
      const count = (this.written.get(document) ?? 0) + 1;
      this.written.set(document, count);
      if (count % TIDY_EVERY === 0) {
        await this.tidy(document);
      }
    } else if (options.counts) {
      await this.note(path, taken.hash, options.counts);
    }
    return made;
  }

  /** Gives the newest version the results of its checks, if it has this hash. */
  async note(path: string, hash: string, counts: VersionCounts): Promise<void> {
    const document = await this.documentOf(path);
    await this.locks.shared(lockOf(document), async () => {
      const [id] = await this.versionsOf(document);
      const stored = id?.hash === hash ? await this.layout.version(id) : null;
      if (stored && JSON.stringify(stored.counts) !== JSON.stringify(counts)) {
        const { notebook, format: _format, ...info } = stored;
        await this.layout.writeVersion(id.document, { ...info, counts }, notebook);
      }
    });
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
      found.push(...(await this.layout.versions(each)));
      each = (await this.layout.about(each))?.before;
    }
    return found.sort((a, b) => b.time - a.time);
  }

  /** Returns what is known of a version; null if it is damaged or gone. */
  async info(id: VersionId): Promise<VersionInfo | null> {
    const stored = await this.layout.version(id);
    if (!stored) {
      return null;
    }
    const { notebook: _notebook, format: _format, ...info } = stored;
    return info;
  }

  /** Returns a version's notebook; null if it is damaged or gone. */
  async read(id: VersionId): Promise<nbformat.INotebookContent | null> {
    const stored = await this.layout.version(id);
    return stored && putTogether(stored.notebook, hash => this.layout.part(id.document, hash));
  }

  /** Returns all notebooks of which versions are kept, also those of other sites of this origin. */
  async documents(): Promise<KeptDocument[]> {
    const names = await this.layout.list();
    const all = await Promise.all(names.map(name => this.layout.about(name)));
    return all.filter(one => one !== null);
  }

  /** The notebook or folder at `from` is now at `to`. */
  async renamed(from: string, to: string): Promise<void> {
    for (const { document: before, path } of await this.ownDocuments(from)) {
      const moved = to + path.slice(from.length);
      const document = await this.documentOf(moved);
      if (document !== before) {
        await this.layout.describe({ document, site: this.site, path: moved, before });
      }
    }
  }

  /** The user has deleted the notebook or folder: versions stay, but no notebook is missing. */
  async deleted(path: string): Promise<void> {
    for (const about of await this.ownDocuments(path)) {
      await this.layout.describe({ ...about, isDeleted: true });
    }
  }

  /** Returns this site's documents at a path or in the folder there. */
  private async ownDocuments(place: string): Promise<KeptDocument[]> {
    const all = await this.documents();
    return all.filter(({ site, path }) => site === this.site && (path === place || path.startsWith(`${place}/`)));
  }

  /** Removes superfluous versions of a notebook, and the parts that no version needs. */
  async tidy(document: string): Promise<void> {
    await this.locks.exclusive(lockOf(document), async () => {
      const dated = (await this.layout.versions(document)).map(id => ({ ...id, isMarked: id.kind !== 'saved' }));
      for (const id of superfluous(dated, Date.now())) {
        await this.layout.removeVersion(id);
      }
      await this.layout.sweep(document);
    });
    await this.limitBytes();
  }

  /** Runs what writes into the second store. If that is full, gives back the oldest versions, and runs it again. */
  async withRoom<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof NoWorkFiles) || error.code !== 'full' || !(await this.giveBack(MIN_GIVEN_BACK))) {
        throw error;
      }
      return write();
    }
  }

  /** Gives back versions if less than so many bytes are free. @returns whether there is more room now. */
  async makeRoomFor(bytes: number): Promise<boolean> {
    const free = await this.files.free();
    return free !== null && free < bytes && (await this.giveBack(bytes - free)) > 0;
  }

  /** Removes the oldest versions of all notebooks, the newest of each excepted. @returns how many bytes that has freed. */
  async giveBack(bytes: number): Promise<number> {
    const before = await this.bytes();
    const after = await this.shrink(before, Math.max(before - Math.max(bytes, MIN_GIVEN_BACK), 0));
    if (after < before) {
      this.onGivenBack();
    }
    return before - after;
  }

  /** Returns the number of bytes of all versions. */
  bytes(): Promise<number> {
    return this.layout.bytes();
  }

  private async limitBytes(): Promise<void> {
    await this.shrink(await this.bytes(), this.maxBytes);
  }

  /** Removes the oldest versions until the history has at most so many bytes. @returns how many it has then. */
  private async shrink(bytes: number, most: number): Promise<number> {
    if (bytes <= most) {
      return bytes;
    }
    const documents = await this.layout.list();
    const old = (await Promise.all(documents.map(one => this.layout.versions(one)))).flatMap(ids => ids.slice(1));
    old.sort((a, b) => a.time - b.time);
    while (bytes > most && old.length) {
      // A tenth at a time, since what a version frees is known only when its parts have been removed.
      const some = old.splice(0, Math.max(1, Math.floor(old.length / 10)));
      for (const document of new Set(some.map(id => id.document))) {
        await this.locks.exclusive(lockOf(document), async () => {
          for (const id of some.filter(one => one.document === document)) {
            await this.layout.removeVersion(id);
          }
          await this.layout.sweep(document);
        });
      }
      bytes = await this.bytes();
    }
    return bytes;
  }

  private async write(
    document: string,
    path: string,
    { rest, parts, hash }: TakenApart,
    { kind, counts = null, time = this.now() }: KeepOptions,
  ): Promise<VersionId | null> {
    const last = await this.last(document, path);
    if (last?.hash === hash) {
      return null;
    }
    await this.layout.writeParts(document, parts);
    const info: VersionInfo = {
      time,
      kind,
      hash,
      cells: rest.cells.length,
      changed: last ? changedCells(last.rest, rest) : null,
      counts,
    };
    const made = await this.layout.writeVersion(document, info, rest);
    this.newest.set(document, { hash, rest });
    return made;
  }

  /** Returns the newest version, which another page may have written. Describes the document if it is new. */
  private async last(
    document: string,
    path: string,
  ): Promise<{ hash: string; rest: nbformat.INotebookContent } | undefined> {
    const about = await this.layout.about(document);
    if (!about || about.isDeleted) {
      await this.layout.describe({ ...about, document, site: this.site, path, isDeleted: undefined });
    }
    const [id] = await this.versionsOf(document);
    const known = this.newest.get(document);
    if (!id || known?.hash === id.hash) {
      return id && known;
    }
    const stored = await this.layout.version(id);
    return stored ? { hash: stored.hash, rest: stored.notebook } : undefined;
  }

  /** The time. Two versions of a page never have the same, since times are their order. */
  private now(): number {
    this.lastTime = Math.max(Date.now(), this.lastTime + 1);
    return this.lastTime;
  }

  private documentOf(path: string): Promise<string> {
    return storedName(this.site, path);
  }
}

function lockOf(document: string): string {
  return `browsergrad-history-${document}`;
}
