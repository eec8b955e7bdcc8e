/**
 * The JupyterLite drive as an Emscripten file system: every operation is one synchronous call to
 * the page. Contents of an open file are written back on close, fsync, at a request's end, and now and then between, if
 * they changed. Bytes stay bytes both ways.
 *
 * As on Linux, a file that is removed or replaced while it is open lives on for those who have it open. Emscripten keeps a
 * node for each name it has seen; our node of an open file holds its `driveFile`, and so does each of its streams.
 */
import type { DriveAnswer } from '../protocol';
import { CallInterrupted, type PageCalls } from './page_calls';
import { DriveFile } from './drive_file';
import type { EmscriptenFS, ErrnoCodes, FSNode, FSStream } from './emscripten';

const DIR_MODE = 0o40777;
const SEEK_CUR = 1;
const SEEK_END = 2;
const O_ACCMODE = 3;
const O_RDONLY = 0;
const O_CREAT = 64;
const FILE_MODE = 0o100666;
/** Longest name, in bytes, as on Linux. */
const LONGEST_NAME = 255;

interface Attributes {
  size: number;
  mtime: string;
  ctime: string;
}

/** Times that Python has given a file. Drives can't keep them: they hold while the drive's own, `seen`, does. */
interface Times {
  seen: string;
  atime: number;
  mtime: number;
}

interface Changes {
  mode?: number;
  size?: number;
  /** Ms; null or missing: it stays. */
  atime?: number | null;
  mtime?: number | null;
  /** Both, in older versions of Emscripten, which also send it with other changes. */
  timestamp?: number;
}

export class DriveFS {
  /** Nodes of files that are open, by their names. */
  private readonly open = new Set<FSNode>();

  constructor(
    private readonly FS: EmscriptenFS,
    private readonly errno: ErrnoCodes,
    private readonly calls: PageCalls,
  ) {}

  /** Emscripten's file-system type interface. */
  mount = (): FSNode => this.createNode(null, '/', DIR_MODE);

  private createNode(parent: FSNode | null, name: string, mode: number): FSNode {
    if (!this.FS.isDir(mode) && !this.FS.isFile(mode)) {
      throw this.error('EINVAL');
    }
    const node = this.FS.createNode(parent, name, mode, 0);
    node.node_ops = this.nodeOps;
    node.stream_ops = this.streamOps;
    return node;
  }

  private error(code: string): Error {
    return new this.FS.ErrnoError(this.errno[code] ?? this.errno.EIO);
  }

  /** Path inside the drive, without a leading slash. */
  private path(node: FSNode, child?: string): string {
    const parts = child === undefined ? [] : [child];
    for (let current = node; current.parent !== current; current = current.parent) {
      parts.unshift(current.name);
    }
    return parts.join('/');
  }

  private request(method: string, path: string, data?: object): unknown {
    let answer: DriveAnswer;
    try {
      answer = this.calls.call({
        kind: 'drive',
        request: data ? { method, path, data } : { method, path },
      }) as DriveAnswer;
    } catch (error) {
      throw this.error(error instanceof CallInterrupted ? 'EINTR' : 'EIO');
    }
    if (!answer.ok) {
      throw this.error(answer.errno);
    }
    return answer.value;
  }

  private load(node: FSNode): DriveFile {
    const value = this.request('get', this.path(node)) as { data: Uint8Array } | null;
    if (!value) {
      throw this.error('ENOENT');
    }
    return new DriveFile(value.data);
  }

  /** Of a file that somebody else has removed since Emscripten saw it: made anew, where that is asked for. */
  private loadOrMake(node: FSNode, flags: number): DriveFile {
    try {
      return this.load(node);
    } catch (error) {
      if (!(flags & O_CREAT) || (error as { errno?: number }).errno !== this.errno.ENOENT) {
        throw error;
      }
      this.request('mknod', this.path(node), { mode: FILE_MODE });
      return new DriveFile();
    }
  }

  private file(node: FSNode): DriveFile | undefined {
    return node.driveFile;
  }

  private checkName(name: string): void {
    if (name.length > LONGEST_NAME / 4 && new TextEncoder().encode(name).length > LONGEST_NAME) {
      throw this.error('ENAMETOOLONG');
    }
  }

  /** The name of an open file is gone, or another file's. */
  private detach(parent: FSNode, name: string): void {
    for (const node of this.open) {
      if (node.parent === parent && node.name === name) {
        this.file(node)!.removed = true;
        this.open.delete(node);
      }
    }
  }

  /** Importers look into a folder again when its time has changed; drives do not change it. */
  private changed(folder: FSNode): void {
    folder.driveChanged = Math.max(Date.now(), (folder.driveChanged ?? 0) + 1);
  }

  private save(node: FSNode, file: DriveFile): void {
    file.save(bytes => this.request('put', this.path(node), { data: bytes }));
  }

  /**
   * Writes back all files that have changed and are still open.
   *
   * @returns one line for each that could not be.
   */
  saveAll(): string {
    let problems = '';
    for (const node of this.open) {
      try {
        this.save(node, this.file(node)!);
      } catch (error) {
        problems += `${this.path(node)} has changes that could not be saved: ${this.reason(error)}\n`;
      }
    }
    return problems;
  }

  private reason(error: unknown): string {
    const { errno } = error as { errno?: number };
    return Object.keys(this.errno).find(name => this.errno[name] === errno) ?? String(error);
  }

  /** Gives a file times of its own; null: it stays. */
  private setTimes(node: FSNode, atime: number | null, mtime: number | null): void {
    const file = this.file(node);
    if (file?.removed) {
      file.changed = mtime ?? file.changed;
      return;
    }
    const before = this.getattr(node);
    if (file) {
      this.save(node, file); // or its time would be that of the saving
    }
    const path = this.path(node);
    const times = { atime: atime ?? before.atime.getTime(), mtime: mtime ?? before.mtime.getTime() };
    this.request('utime', path, times);
    node.driveTimes = { ...times, seen: (this.request('getattr', path) as Attributes).mtime };
  }

  private getattr(node: FSNode): { mtime: Date; atime: Date } {
    const isDirectory = this.FS.isDir(node.mode);
    const file = this.file(node);
    const attributes =
      node.parent === node || file?.removed
        ? { size: 0, mtime: '', ctime: '' }
        : (this.request('getattr', this.path(node)) as Attributes);
    const size = isDirectory ? 4096 : (file?.size ?? attributes.size);
    const changed = file?.dirty || file?.removed ? file.changed : (node.driveChanged ?? 0);
    const times = node.driveTimes as Times | undefined;
    const known = times?.seen === attributes.mtime && !file?.dirty ? times : null;
    const latest = (text: string): number => Math.max(Date.parse(text) || 0, changed);
    const mtime = new Date(known?.mtime ?? latest(attributes.mtime));
    const stat = {
      dev: 1,
      ino: node.id,
      mode: node.mode,
      nlink: file?.removed ? 0 : 1,
      uid: 0,
      gid: 0,
      rdev: 0,
      size,
      blksize: 4096,
      blocks: Math.ceil(size / 512),
      atime: known ? new Date(known.atime) : mtime,
      mtime,
      ctime: new Date(latest(attributes.ctime)),
    };
    return stat;
  }

  /** What has a name now, as far as Emscripten has looked it up. */
  private existing(parent: FSNode, name: string): FSNode | null {
    try {
      return this.FS.lookupNode(parent, name);
    } catch {
      return null;
    }
  }

  private readonly nodeOps = {
    getattr: (node: FSNode): object => this.getattr(node),

    setattr: (node: FSNode, { mode, size, atime, mtime, timestamp }: Changes): void => {
      if (mode !== undefined) {
        node.mode = mode;
      }
      if (size !== undefined) {
        const open = this.file(node);
        const file = open ?? (size === 0 ? new DriveFile() : this.load(node));
        file.resize(size);
        if (!open) {
          this.save(node, file);
        }
      } else if (mode === undefined) {
        this.setTimes(node, atime ?? timestamp ?? null, mtime ?? timestamp ?? null);
      }
    },

    lookup: (parent: FSNode, name: string): FSNode => {
      this.checkName(name);
      const found = this.request('lookup', this.path(parent, name)) as { ok: boolean; mode?: number };
      if (!found.ok) {
        throw this.error('ENOENT');
      }
      return this.createNode(parent, name, found.mode!);
    },

    mknod: (parent: FSNode, name: string, mode: number): FSNode => {
      this.checkName(name);
      this.request('mknod', this.path(parent, name), { mode });
      this.changed(parent);
      return this.createNode(parent, name, mode);
    },

    rename: (node: FSNode, newParent: FSNode, newName: string): void => {
      this.checkName(newName);
      const { parent } = node;
      const replaced = this.existing(newParent, newName);
      if (replaced && this.FS.isDir(replaced.mode)) {
        this.nodeOps.rmdir(newParent, newName);
      }
      const path = this.path(newParent, newName);
      const moved = this.request('rename', this.path(node), { newPath: path }) as {
        before: string;
        after: string;
      } | null;
      if (replaced) {
        this.detach(newParent, newName);
        this.FS.hashRemoveNode(replaced);
      }
      if (moved && this.FS.isFile(node.mode)) {
        // Some drives take the move for a change.
        const times = node.driveTimes as Times | undefined;
        const mtime = times?.seen === moved.before ? times.mtime : Date.parse(moved.before);
        node.driveTimes = { atime: times?.atime ?? mtime, mtime, seen: moved.after };
      }
      this.changed(parent);
      this.changed(newParent);
      node.name = newName;
      node.parent = newParent;
    },

    unlink: (parent: FSNode, name: string): void => {
      this.request('rmdir', this.path(parent, name));
      this.detach(parent, name);
      this.changed(parent);
    },

    rmdir: (parent: FSNode, name: string): void => {
      const path = this.path(parent, name);
      if ((this.request('readdir', path) as string[]).length > 0) {
        throw this.error('ENOTEMPTY');
      }
      this.request('rmdir', path);
      this.changed(parent);
    },

    readdir: (node: FSNode): string[] => ['.', '..', ...(this.request('readdir', this.path(node)) as string[])],

    symlink: (): never => {
      throw this.error('EPERM');
    },

    readlink: (): never => {
      throw this.error('EINVAL');
    },
  };

  private readonly streamOps = {
    open: (stream: FSStream): void => {
      const { node } = stream;
      if (this.FS.isFile(node.mode)) {
        const file = this.file(node) ?? this.loadOrMake(node, stream.flags);
        file.opened++;
        node.driveFile = stream.driveFile = file;
        this.open.add(node);
      }
    },

    dup: (stream: FSStream): void => {
      if (stream.driveFile) {
        stream.driveFile.opened++;
      }
    },

    close: (stream: FSStream): void => {
      const { node, driveFile: file } = stream;
      if (!file) {
        return;
      }
      try {
        if ((stream.flags & O_ACCMODE) !== O_RDONLY) {
          this.save(node, file);
        }
      } finally {
        if (--file.opened <= 0 && this.file(node) === file) {
          node.driveFile = undefined;
          this.open.delete(node);
        }
      }
    },

    fsync: (stream: FSStream): number => {
      if (stream.driveFile) {
        this.save(stream.node, stream.driveFile);
      }
      return 0;
    },

    read: ({ driveFile }: FSStream, buffer: Uint8Array, offset: number, length: number, position: number): number =>
      driveFile?.read(buffer, offset, length, position) ?? 0,

    write: (stream: FSStream, buffer: Uint8Array, offset: number, length: number, position: number): number => {
      const file = stream.driveFile;
      if (!file || length <= 0) {
        return 0;
      }
      file.write(buffer.subarray(offset, offset + length), position);
      if (file.due) {
        try {
          this.save(stream.node, file);
        } catch {
          // Closing the file tells.
        }
      }
      return length;
    },

    /** A mapping is a copy in Python's memory, as Emscripten makes one of a file there. */
    mmap: (stream: FSStream, length: number, position: number, protection: number, flags: number): object => {
      if (!stream.driveFile) {
        throw this.error('ENODEV');
      }
      const inMemory = { node: { mode: stream.node.mode, contents: stream.driveFile.bytes } };
      return this.FS.filesystems.MEMFS.ops_table.file.stream.mmap(inMemory, length, position, protection, flags);
    },

    msync: (stream: FSStream, buffer: Uint8Array, offset: number, length: number): number => {
      stream.driveFile?.writeMapped(buffer.subarray(0, length), offset);
      return this.streamOps.fsync(stream);
    },

    llseek: (stream: FSStream, offset: number, whence: number): number => {
      let position = offset;
      if (whence === SEEK_CUR) {
        position += stream.position;
      } else if (whence === SEEK_END && this.FS.isFile(stream.node.mode)) {
        position += stream.driveFile?.size ?? 0;
      }
      if (position < 0) {
        throw this.error('EINVAL');
      }
      return position;
    },
  };
}
