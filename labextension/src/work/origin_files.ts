/**
 * The second store in a page: the browser's origin private file system, apart from the databases in which JupyterLite keeps files.
 */
import { NoWorkFiles, type WorkFiles, type WorkLocks } from './files';

/** Folder of all our files, in the root of the origin's file system. */
const ROOT = 'browsergrad';

/** Ends the name of a new file until it is whole. */
const NEW = '.new';
/** Files that are being written, or were when their page ended. Chromium shows its own, too. */
const UNFINISHED = /\.(new|crswap)$/;

/** Writes one file whole. */
type Write = (folder: FileSystemDirectoryHandle, path: string[], name: string, data: Uint8Array) => Promise<void>;

/**
 * Opens the store, and tries to write into it.
 *
 * @throws NoWorkFiles
 */
export async function openOriginFiles(): Promise<OriginFiles> {
  if (!globalThis.isSecureContext) {
    throw new NoWorkFiles('insecure', 'the page was not served by https');
  }
  if (!navigator.storage?.getDirectory || !globalThis.CompressionStream || !navigator.locks) {
    throw new NoWorkFiles('missing', 'this browser has no file system for pages');
  }
  let root: FileSystemDirectoryHandle;
  try {
    const origin = await navigator.storage.getDirectory();
    root = await origin.getDirectoryHandle(ROOT, { create: true });
  } catch (error) {
    throw new NoWorkFiles('refused', (error as Error).message);
  }
  const files = new OriginFiles(
    root,
    'createWritable' in FileSystemFileHandle.prototype ? writeBySwap : workerWriter(),
  );
  await files.write('probe', new Uint8Array([1]));
  return files;
}

export class OriginFiles implements WorkFiles {
  constructor(
    private readonly root: FileSystemDirectoryHandle,
    private readonly writeFile: Write,
  ) {}

  async read(path: string): Promise<Uint8Array | null> {
    const handle = await this.file(path);
    return handle && new Uint8Array(await (await handle.getFile()).arrayBuffer());
  }

  async write(path: string, data: Uint8Array): Promise<void> {
    const [folders, name] = split(path);
    try {
      let folder = this.root;
      for (const each of folders) {
        folder = await folder.getDirectoryHandle(each, { create: true });
      }
      await this.writeFile(folder, [ROOT, ...folders], name, data);
    } catch (error) {
      throw asProblem(error);
    }
  }

  async remove(path: string): Promise<void> {
    const [folders, name] = split(path);
    try {
      await (await this.folder(folders))?.removeEntry(name, { recursive: true });
    } catch (error) {
      if ((error as Error).name !== 'NotFoundError') {
        throw asProblem(error);
      }
    }
  }

  async list(path: string): Promise<string[]> {
    return (await this.names(path)).filter(name => !UNFINISHED.test(name));
  }

  async removeUnfinished(path: string): Promise<void> {
    for (const name of (await this.names(path)).filter(one => UNFINISHED.test(one))) {
      await this.remove(`${path}/${name}`);
    }
  }

  async size(path: string): Promise<number> {
    return (await (await this.file(path))?.getFile())?.size ?? 0;
  }

  async free(): Promise<number | null> {
    // Safari before 17 has no such function.
    const { quota, usage } = (await navigator.storage.estimate?.().catch(() => null)) ?? {};
    return quota === undefined || usage === undefined ? null : Math.max(quota - usage, 0);
  }

  private async names(path: string): Promise<string[]> {
    const folder = await this.folder(path.split('/'));
    const names: string[] = [];
    for await (const name of (folder as unknown as { keys(): AsyncIterable<string> } | null)?.keys() ?? []) {
      names.push(name);
    }
    return names;
  }

  private async file(path: string): Promise<FileSystemFileHandle | null> {
    const [folders, name] = split(path);
    try {
      return (await (await this.folder(folders))?.getFileHandle(name)) ?? null;
    } catch (error) {
      return nullIfMissing(error);
    }
  }

  private async folder(names: readonly string[]): Promise<FileSystemDirectoryHandle | null> {
    try {
      let folder = this.root;
      for (const name of names) {
        folder = await folder.getDirectoryHandle(name);
      }
      return folder;
    } catch (error) {
      return nullIfMissing(error);
    }
  }
}

/**
 * The browser writes a copy, which replaces the file when it is closed. A new file gets its name only when it is whole: an empty version,
 * of a page that has ended or for which there was no room, would count as the newest one, for which older ones make room.
 */
const writeBySwap: Write = async (folder, _path, name, data) => {
  const old = await folder.getFileHandle(name).catch(nullIfMissing);
  const handle = old ?? (await folder.getFileHandle(name + NEW, { create: true }));
  try {
    const stream = await handle.createWritable();
    await stream.write(data as Uint8Array<ArrayBuffer>);
    await stream.close();
    if (!old) {
      // TypeScript's library lacks it. Chromium 110, Firefox 111 and Safari 15.2 have it.
      await (handle as FileSystemFileHandle & { move(name: string): Promise<void> }).move(name);
    }
  } catch (error) {
    if (!old) {
      await folder.removeEntry(handle.name).catch(() => undefined); // the first error counts
    }
    throw error;
  }
};

/**
 * Writes in a worker: Safari before 26 writes files nowhere else. The file is written under another name and then renamed.
 */
const WORKER = `
onmessage = async ({ data: { id, path, name, bytes } }) => {
  try {
    let folder = await navigator.storage.getDirectory();
    for (const each of path) folder = await folder.getDirectoryHandle(each, { create: true });
    const file = await folder.getFileHandle(name + '${NEW}', { create: true });
    const access = await file.createSyncAccessHandle();
    try {
      access.truncate(0);
      access.write(bytes, { at: 0 });
      access.flush();
    } finally {
      access.close();
    }
    await file.move(name);
    postMessage({ id });
  } catch (error) {
    postMessage({ id, error: { name: error.name, message: error.message } });
  }
};
`;

function workerWriter(): Write {
  const pending = new Map<number, { resolve(): void; reject(error: Error): void }>();
  let last = 0;
  const url = URL.createObjectURL(new Blob([WORKER], { type: 'text/javascript' }));
  const worker = new Worker(url);
  const fail = (message: string): void => {
    pending.forEach(one => one.reject(new NoWorkFiles('failed', message)));
    pending.clear();
  };
  worker.onerror = event => fail(event.message || 'the worker that writes files could not start');
  worker.onmessage = ({ data: { id, error } }) => {
    const one = pending.get(id);
    pending.delete(id);
    if (error) {
      one?.reject(Object.assign(new Error(error.message), { name: error.name }));
    } else {
      one?.resolve();
    }
  };
  return (_folder, path, name, data) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      pending.set(id, { resolve, reject });
      worker.postMessage({ id, path, name, bytes: data });
    });
}

/** The locks of the browser. */
export const pageLocks: WorkLocks = {
  shared: async (name, run) => await navigator.locks.request(name, { mode: 'shared' }, run),
  exclusive: async (name, run) => await navigator.locks.request(name, run),
  // In frames of other sites, Firefox allows requests but no query. Pages that ask at the same time share the lock.
  isHeld: async name =>
    await navigator.locks.request(name, { mode: 'shared', ifAvailable: true }, lock => lock === null),
  hold: name => void navigator.locks.request(name, () => new Promise(() => undefined)),
};

function split(path: string): [folders: string[], name: string] {
  const parts = path.split('/');
  return [parts.slice(0, -1), parts[parts.length - 1]];
}

function nullIfMissing(error: unknown): null {
  if ((error as Error).name === 'NotFoundError') {
    return null;
  }
  throw asProblem(error);
}

function asProblem(error: unknown): NoWorkFiles {
  if (error instanceof NoWorkFiles) {
    return error;
  }
  const { name, message } = error as Error;
  return new NoWorkFiles(name === 'QuotaExceededError' ? 'full' : 'failed', message || name);
}
