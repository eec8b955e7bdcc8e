/**
 * Answers the worker's file-system requests from the contents manager. Bytes stay bytes: what is
 * not valid UTF-8 is stored as base64. Every failure becomes an errno; nothing throws.
 */
import { PageConfig, PathExt, URLExt } from '@jupyterlab/coreutils';
import { ServerConnection, type Contents } from '@jupyterlab/services';

import type { DriveAnswer } from '../runtime/protocol';

const DIR_MODE = 0o40777;
const FILE_MODE = 0o100666;

interface DriveRequest {
  method: string;
  path: string;
  data?: { mode?: number; newPath?: string; data?: Uint8Array };
}

/** An errno the worker passes to Python. */
class DriveError extends Error {
  constructor(
    readonly errno: string,
    message: string,
  ) {
    super(message);
  }
}

/** The file's bytes, from whatever form its model has. */
function bytesOf(model: Contents.IModel): Uint8Array {
  if (model.format === 'base64') {
    return Uint8Array.from(atob(model.content ?? ''), character => character.charCodeAt(0));
  }
  const text =
    typeof model.content === 'string' ? model.content : JSON.stringify(model.content, null, 1);
  return new TextEncoder().encode(text ?? '');
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += 0x8000) {
    binary += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  }
  return btoa(binary);
}

function asText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

export class Drive {
  constructor(
    private readonly contents: Contents.IManager,
    /** Name of the drive the notebook lies in, or ''. */
    private readonly driveName: string,
  ) {}

  async request(request: unknown): Promise<DriveAnswer> {
    try {
      return { ok: true, value: await this.handle(request as DriveRequest) };
    } catch (error) {
      if (error instanceof DriveError) {
        return { ok: false, errno: error.errno, message: error.message };
      }
      const status = error instanceof ServerConnection.ResponseError ? error.response.status : 0;
      const text = String(error);
      const missing = status === 404 || /not found|does not exist|could not find/i.test(text);
      return { ok: false, errno: missing ? 'ENOENT' : 'EIO', message: text };
    }
  }

  private path(path: string): string {
    return this.driveName ? `${this.driveName}:${path}` : path;
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
        await this.contents.rename(this.path(path), this.path(data?.newPath ?? ''));
        return null;
      case 'rmdir':
        await this.contents.delete(this.path(path));
        return null;
      default:
        throw new DriveError('ENOSYS', `unknown request ${method}`);
    }
  }

  private async read(path: string): Promise<Contents.IModel> {
    const model = await this.contents.get(this.path(path), { content: true });
    if (model.type === 'directory') {
      throw new DriveError('EISDIR', `${path} is a directory`);
    }
    return model;
  }

  /**
   * The file's bytes. JupyterLite reads a text file of the site as UTF-8 whatever it holds; where it
   * had to replace something, the file of the site is read again as it is.
   */
  private async bytes(path: string): Promise<Uint8Array> {
    const model = await this.read(path);
    if (model.format === 'text' && !this.driveName && String(model.content).includes('\ufffd')) {
      const url = URLExt.join(PageConfig.getBaseUrl(), 'files', URLExt.encodeParts(path));
      const response = await fetch(url).catch(() => null);
      if (response?.ok) {
        const raw = new Uint8Array(await response.arrayBuffer());
        if (new TextDecoder().decode(raw) === model.content) {
          return raw;
        }
      }
    }
    return bytesOf(model);
  }

  private async lookup(path: string): Promise<{ ok: boolean; mode?: number }> {
    try {
      const model = await this.contents.get(this.path(path), { content: false });
      return { ok: true, mode: model.type === 'directory' ? DIR_MODE : FILE_MODE };
    } catch {
      return { ok: false };
    }
  }

  private async readdir(path: string): Promise<string[]> {
    const model = await this.contents.get(this.path(path), { content: true });
    if (model.type !== 'directory') {
      throw new DriveError('ENOTDIR', `${path} is no directory`);
    }
    return (model.content as Contents.IModel[]).map(entry => entry.name);
  }

  private async getattr(path: string): Promise<{ size: number; mtime: string; ctime: string }> {
    let model = await this.contents.get(this.path(path), { content: false });
    let { size } = model;
    if (model.type !== 'directory' && (model.type === 'notebook' || typeof size !== 'number')) {
      // The stored size is that of the model, not of the bytes Python reads.
      model = await this.contents.get(this.path(path), { content: true });
      size = bytesOf(model).length;
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
        content = undefined; // not finished, or no notebook at all: keep it as text
      }
      if (content && typeof content === 'object' && 'cells' in content) {
        await this.contents.save(this.path(path), { type: 'notebook', format: 'json', content });
        return;
      }
    }
    await this.contents.save(
      this.path(path),
      text === null
        ? { type: 'file', format: 'base64', content: toBase64(bytes) }
        : { type: 'file', format: 'text', content: text },
    );
  }

  private async make(path: string, mode: number): Promise<void> {
    if ((mode & 0o170000) !== 0o040000) {
      await this.put(path, new Uint8Array(0));
      return;
    }
    // The contents API makes untitled folders only.
    const folder = await this.contents.newUntitled({
      path: this.path(PathExt.dirname(path)),
      type: 'directory',
    });
    try {
      await this.contents.rename(folder.path, this.path(path));
    } catch (error) {
      await this.contents.delete(folder.path);
      throw error;
    }
  }
}
