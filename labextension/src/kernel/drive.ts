/**
 * Answers the worker's file-system requests from the contents manager. Contents are bytes: what is not valid UTF-8 is stored as
 * base64. Every failure becomes an errno; nothing throws.
 */
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';

import { fromBase64, toBase64 } from '../runtime/base64';
import type { DriveAnswer } from '../runtime/protocol';

const DIR_MODE = 0o40777;
const FILE_MODE = 0o100666;

/**
 * Extensions of files that JupyterLab's viewers request as base64. JupyterLite can make base64 only from Latin-1 text, so these
 * files are stored as base64.
 */
const KEPT_AS_BYTES = new Set('.svg .png .jpg .jpeg .gif .bmp .webp .ico .tiff .pdf'.split(' '));

const ERRNO_OF_STATUS: Record<number, string> = {
  400: 'EINVAL',
  401: 'EACCES',
  403: 'EACCES',
  404: 'ENOENT',
  409: 'EEXIST',
  413: 'EFBIG',
  507: 'ENOSPC',
};

/** Requests that change no file. */
const READING = new Set(['lookup', 'readdir', 'getattr', 'get', 'utime']);

interface DriveRequest {
  method: string;
  path: string;
  data?: { mode?: number; newPath?: string; data?: Uint8Array };
}

/** An errno that the worker passes to Python. */
class DriveError extends Error {
  constructor(
    readonly errno: string,
    message: string,
  ) {
    super(message);
  }
}

/** Returns a file's bytes, whatever the form of its model. */
function bytesOf(model: Contents.IModel): Uint8Array {
  if (model.format === 'base64') {
    return fromBase64(model.content ?? '');
  }
  const text = typeof model.content === 'string' ? model.content : JSON.stringify(model.content, null, 1);
  return new TextEncoder().encode(text ?? '');
}

function asText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Files up to this length, in bytes, are remembered. */
const REMEMBERED_BYTES = 1 << 26;
/**
 * JupyterLite reads a file's contents from storage even where it is only asked for size and time. So for files from this length
 * on, in bytes, the answer holds for a moment.
 */
const LONG_BYTES = 1 << 20;
/** Ms for which it holds, unless the page changes a file. Another page's changes are seen later by as much. */
const HOLDS_MS = 1000;

export class Drive {
  /**
   * The file that was read or written last: JupyterLite's storage is slow. The bytes are valid as long as the drive reports the
   * same time.
   */
  private last: { path: string; modified: string; bytes: Uint8Array } | null = null;

  /** What is known of a long file, and until when, as of `performance.now()`. */
  private known: { path: string; model: Contents.IModel; until: number } | null = null;

  constructor(
    private readonly contents: Contents.IManager,
    /** Name of the drive that holds the notebook, or ''. */
    private readonly driveName: string,
  ) {
    // The contents manager outlives the kernel's drive, and must not keep it and the bytes that it remembers.
    const self = new WeakRef(this);
    const forget = (): void => {
      const drive = self.deref();
      if (drive) {
        drive.forget();
      } else {
        contents.fileChanged.disconnect(forget);
      }
    };
    contents.fileChanged.connect(forget);
  }

  async request(request: unknown): Promise<DriveAnswer> {
    try {
      const asked = request as DriveRequest;
      if (!READING.has(asked.method)) {
        this.forget();
      }
      return { ok: true, value: await this.handle(asked) };
    } catch (error) {
      const message = error instanceof DriveError ? error.message : String(error);
      return { ok: false, errno: errnoOf(error), message };
    }
  }

  /** Encodes a path from Python: JupyterLite's own drive decodes the paths that it is given. */
  private path(path: string): string {
    return this.driveName ? `${this.driveName}:${path}` : path.replaceAll('%', '%25');
  }

  private forget(): void {
    this.known = null;
  }

  /** A path's model without its content. */
  private async model(path: string): Promise<Contents.IModel> {
    if (this.known?.path === path && performance.now() < this.known.until) {
      return this.known.model;
    }
    const model = await this.contents.get(this.path(path), { content: false });
    this.know(path, model);
    return model;
  }

  private know(path: string, model: Contents.IModel): void {
    if ((model.size ?? 0) >= LONG_BYTES) {
      this.known = { path, model, until: performance.now() + HOLDS_MS };
    }
  }

  private async handle({ method, path, data }: DriveRequest): Promise<unknown> {
    switch (method) {
      case 'lookup':
        return this.lookup(path);
      case 'readdir':
        return this.readdir(path);
      case 'getattr':
        return this.getattr(path);
      case 'get':
        return { data: await this.bytes(path) };
      case 'put':
        await this.put(path, data?.data ?? new Uint8Array(0));
        return null;
      case 'mknod':
        await this.make(path, data?.mode ?? FILE_MODE);
        return null;
      case 'rename':
        return this.move(path, data?.newPath ?? '');
      case 'utime':
        return null; // drives set their own times; the worker keeps those that Python sets
      case 'rmdir':
        await this.delete(path);
        return null;
      default:
        throw new DriveError('ENOSYS', `unknown request ${method}`);
    }
  }

  /**
   * Returns the file's bytes. A file of the site is fetched as it is: JupyterLite's model holds decoded text or parsed JSON,
   * from which the bytes cannot be told.
   */
  private async bytes(path: string): Promise<Uint8Array> {
    const model = await this.model(path);
    const { type, last_modified: modified } = model;
    if (type === 'directory') {
      throw new DriveError('EISDIR', `${path} is a directory`);
    }
    if (modified && path === this.last?.path && modified === this.last.modified) {
      return this.last.bytes;
    }
    const bytes = await this.read(path, model);
    this.remember(path, modified, bytes);
    if (this.known?.model === model) {
      this.know(path, model); // Python asks again for size and time once it has the file
    }
    return bytes;
  }

  private remember(path: string, modified: string, bytes: Uint8Array): void {
    if (bytes.length <= REMEMBERED_BYTES) {
      this.last = { path, modified, bytes };
    }
  }

  private async read(path: string, { format }: Contents.IModel): Promise<Uint8Array> {
    // Only files in the browser's storage have a format before they are read. Their models are complete. JupyterLite would take
    // ten times as long to make a download of one.
    const isStored = format === 'text' || format === 'base64';
    if (!this.driveName && !isStored) {
      const url = await this.contents.getDownloadUrl(this.path(path));
      if (url.startsWith('blob:')) {
        URL.revokeObjectURL(url); // in the browser's storage after all
      } else {
        const response = await fetch(url);
        if (response.ok) {
          return new Uint8Array(await response.arrayBuffer());
        }
      }
    }
    return bytesOf(await this.contents.get(this.path(path), { content: true }));
  }

  private async lookup(path: string): Promise<{ ok: boolean; mode?: number }> {
    try {
      const model = await this.model(path);
      return { ok: true, mode: model.type === 'directory' ? DIR_MODE : FILE_MODE };
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') {
        throw error;
      }
      return { ok: false };
    }
  }

  private async readdir(path: string): Promise<string[]> {
    const model = await this.contents.get(this.path(path), { content: true });
    if (model.type !== 'directory') {
      throw new DriveError('ENOTDIR', `${path} is not a directory`);
    }
    return (model.content as Contents.IModel[]).map(entry => entry.name);
  }

  private async getattr(path: string): Promise<{ size: number; mtime: string; ctime: string }> {
    const model = await this.model(path);
    let { size } = model;
    if (model.type !== 'directory' && (!size || model.type === 'notebook' || model.format === 'json')) {
      // The drive does not say, or gives the size of its model, not of the bytes that Python reads.
      size = (await this.bytes(path)).length;
    }
    return { size: size ?? 0, mtime: model.last_modified ?? '', ctime: model.created ?? '' };
  }

  private async put(path: string, bytes: Uint8Array): Promise<void> {
    const text = asText(bytes);
    if (PathExt.extname(path) === '.ipynb' && text) {
      let content: unknown;
      try {
        content = JSON.parse(text);
      } catch {
        content = undefined; // incomplete, or not a notebook: stored as text
      }
      if (content && typeof content === 'object' && 'cells' in content) {
        await this.contents.save(this.path(path), { type: 'notebook', format: 'json', content });
        return;
      }
    }
    const saved = await this.contents.save(
      this.path(path),
      text === null || KEPT_AS_BYTES.has(PathExt.extname(path).toLowerCase())
        ? { type: 'file', format: 'base64', content: toBase64(bytes) }
        : { type: 'file', format: 'text', content: text },
    );
    // JSON is stored as a value, so reading it gives other bytes for the same value.
    if (saved.format !== 'json') {
      this.remember(path, saved.last_modified, bytes);
      this.know(path, { ...saved, content: null, size: bytes.length });
    }
  }

  private async make(path: string, mode: number): Promise<void> {
    if ((mode & 0o170000) !== 0o040000) {
      await this.put(path, new Uint8Array(0));
      return;
    }
    // The contents API only makes untitled folders.
    const folder = await this.contents.newUntitled({
      path: this.path(PathExt.dirname(path)),
      type: 'directory',
    });
    try {
      await this.rename(folder.path, path);
    } catch (error) {
      await this.contents.delete(folder.path).catch(() => undefined); // the first error says more
      throw error;
    }
  }

  /** @returns the file's time before and after, since some drives change it when they move a file. */
  private async move(from: string, to: string): Promise<{ before: string; after: string }> {
    const { last_modified: before, type } = await this.contents.get(this.path(from), { content: false });
    if (!this.driveName && (type === 'directory' || from.includes('%'))) {
      // JupyterLite decodes names with a percent sign twice. So it does not find them, nor anything in a folder of such a name.
      await this.copy(from, to);
      await this.contents.delete(this.path(from));
    } else {
      await this.rename(this.path(from), to);
    }
    if (this.last?.path === from || this.last?.path === to) {
      this.last = null;
    }
    const { last_modified: after } = await this.contents.get(this.path(to), { content: false });
    return { before, after };
  }

  private async copy(from: string, to: string): Promise<void> {
    const { type } = await this.contents.get(this.path(from), { content: false });
    if (type !== 'directory') {
      await this.put(to, await this.bytes(from));
      return;
    }
    await this.make(to, DIR_MODE);
    for (const name of await this.readdir(from)) {
      await this.copy(`${from}/${name}`, `${to}/${name}`);
    }
  }

  /** @param from - a path of the contents manager. @param to - a path from Python: JupyterLite does not decode it. */
  private async rename(from: string, to: string): Promise<void> {
    await this.contents.rename(from, this.driveName ? this.path(to) : to);
  }

  private async delete(path: string): Promise<void> {
    await this.contents.delete(this.path(path));
    if ((await this.lookup(path)).ok) {
      throw new DriveError('EROFS', `${path} belongs to the site and cannot be removed`);
    }
  }
}

/** Returns the errno for an error of a contents manager. */
function errnoOf(error: unknown): string {
  if (error instanceof DriveError) {
    return error.errno;
  }
  // Not by its class, which may come from another copy of the package.
  const { response, name } = (error ?? {}) as {
    response?: { status?: number };
    name?: string;
  };
  if (name === 'QuotaExceededError') {
    return 'ENOSPC';
  }
  const known = ERRNO_OF_STATUS[response?.status ?? 0];
  return known ?? (/not found|does not exist|could not find/i.test(String(error)) ? 'ENOENT' : 'EIO');
}
