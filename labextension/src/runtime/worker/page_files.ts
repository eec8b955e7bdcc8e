/**
 * Reads and writes files of Python's file system for the page. Errors name path and reason; Emscripten's have only a number.
 */
import type { EmscriptenFS, ErrnoCodes } from './emscripten';

const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'a part of the path is a file, not a folder',
  EACCES: 'permission denied',
  EPERM: 'it may not be changed',
  EROFS: 'it may not be changed',
  ENOSPC: 'no space is left',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its links lead in a circle',
};

export class PageFiles {
  constructor(
    private readonly FS: EmscriptenFS,
    private readonly codes: ErrnoCodes,
  ) {}

  /** Writes a file, and makes its folder if needed. */
  write(path: string, data: Uint8Array): void {
    this.attempt(path, 'written', () => {
      const parent = path.slice(0, path.lastIndexOf('/'));
      if (parent) {
        this.FS.mkdirTree(parent);
      }
      this.FS.writeFile(path, data);
    });
  }

  read(path: string): Uint8Array {
    return this.attempt(path, 'read', () => this.FS.readFile(path));
  }

  /** @returns all files below a folder, by their paths in it. Links are not followed. */
  readAll(folder: string): Record<string, Uint8Array> {
    const found: Record<string, Uint8Array> = {};
    const visit = (path: string, inside: string): void => {
      for (const name of this.FS.readdir(path).filter(each => each !== '.' && each !== '..')) {
        const { mode } = this.FS.lstat(`${path}/${name}`);
        if (this.FS.isDir(mode)) {
          visit(`${path}/${name}`, `${inside}${name}/`);
        } else if (this.FS.isFile(mode)) {
          found[`${inside}${name}`] = this.FS.readFile(`${path}/${name}`);
        }
      }
    };
    this.attempt(folder, 'read', () => visit(folder, ''));
    return found;
  }

  private attempt<T>(path: string, done: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      const number = (error as { errno?: unknown } | null)?.errno;
      if (typeof number !== 'number') {
        throw error;
      }
      const errno = Object.keys(this.codes).find(name => this.codes[name] === number) ?? `error ${number}`;
      const reason = REASONS[errno];
      const text = `${path} could not be ${done}: ${reason ? `${reason} (${errno})` : errno}`;
      throw Object.assign(new Error(text), { errno });
    }
  }
}
