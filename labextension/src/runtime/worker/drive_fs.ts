/**
 * The JupyterLite drive as an Emscripten file system: every operation is one synchronous call to
 * the page. Contents of an open file are held once per file, grow geometrically, and are written
 * back on close and fsync only when they changed. Bytes stay bytes both ways.
 */
import type { DriveAnswer } from '../protocol';
import { CallInterrupted, type PageCalls } from './calls';
import type { EmscriptenFS, ErrnoCodes, FSNode, FSStream } from './emscripten';

const DIR_MODE = 0o40777;
const SEEK_CUR = 1;
const SEEK_END = 2;
const O_ACCMODE = 3;
const O_RDONLY = 0;

interface OpenFile {
  /** Capacity may exceed `size`. */
  data: Uint8Array;
  size: number;
  dirty: boolean;
  opened: number;
}

interface Attributes {
  size: number;
  mtime: string;
  ctime: string;
}

export class DriveFS {
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

  private open(node: FSNode): OpenFile {
    const value = this.request('get', this.path(node)) as { data: Uint8Array } | null;
    if (!value) {
      throw this.error('ENOENT');
    }
    return { data: value.data, size: value.data.length, dirty: false, opened: 0 };
  }

  private file(node: FSNode): OpenFile | undefined {
    return node.driveFile as OpenFile | undefined;
  }

  /** Importers look into a folder again when its time has changed; drives do not change it. */
  private changed(folder: FSNode): void {
    folder.driveChanged = Math.max(Date.now(), (folder.driveChanged ?? 0) + 1);
  }

  private save(node: FSNode, file: OpenFile): void {
    if (file.dirty) {
      this.request('put', this.path(node), { data: file.data.subarray(0, file.size) });
      file.dirty = false;
    }
  }

  private resize(file: OpenFile, size: number): void {
    if (size > file.data.length) {
      const data = new Uint8Array(Math.max(size, file.data.length * 2, 4096));
      data.set(file.data.subarray(0, file.size));
      file.data = data;
    } else if (size < file.size) {
      file.data.fill(0, size, file.size);
    }
    file.size = size;
  }

  private readonly nodeOps = {
    getattr: (node: FSNode): object => {
      const isDirectory = this.FS.isDir(node.mode);
      const root = node.parent === node;
      const attributes = root
        ? { size: 0, mtime: '', ctime: '' }
        : (this.request('getattr', this.path(node)) as Attributes);
      const size = isDirectory ? 4096 : (this.file(node)?.size ?? attributes.size);
      const date = (text: string): Date => new Date(Math.max(Date.parse(text) || 0, node.driveChanged ?? 0));
      return {
        dev: 1,
        ino: node.id,
        mode: node.mode,
        nlink: 1,
        uid: 0,
        gid: 0,
        rdev: 0,
        size,
        blksize: 4096,
        blocks: Math.ceil(size / 512),
        atime: date(attributes.mtime),
        mtime: date(attributes.mtime),
        ctime: date(attributes.ctime),
      };
    },

    setattr: (node: FSNode, attributes: { mode?: number; size?: number }): void => {
      if (attributes.mode !== undefined) {
        node.mode = attributes.mode;
      }
      if (attributes.size !== undefined) {
        const open = this.file(node);
        const file = open ?? (attributes.size === 0 ? emptyFile() : this.open(node));
        this.resize(file, attributes.size);
        file.dirty = true;
        if (!open) {
          this.save(node, file);
        }
      }
    },

    lookup: (parent: FSNode, name: string): FSNode => {
      const found = this.request('lookup', this.path(parent, name)) as { ok: boolean; mode?: number };
      if (!found.ok) {
        throw this.error('ENOENT');
      }
      return this.createNode(parent, name, found.mode!);
    },

    mknod: (parent: FSNode, name: string, mode: number): FSNode => {
      this.request('mknod', this.path(parent, name), { mode });
      this.changed(parent);
      return this.createNode(parent, name, mode);
    },

    rename: (node: FSNode, newParent: FSNode, newName: string): void => {
      this.request('rename', this.path(node), { newPath: this.path(newParent, newName) });
      this.changed(node.parent);
      this.changed(newParent);
      node.name = newName;
      node.parent = newParent;
    },

    unlink: (parent: FSNode, name: string): void => {
      this.request('rmdir', this.path(parent, name));
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

    readdir: (node: FSNode): string[] => [
      '.',
      '..',
      ...(this.request('readdir', this.path(node)) as string[]),
    ],

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
        const file = this.file(node) ?? this.open(node);
        file.opened++;
        node.driveFile = file;
      }
    },

    close: (stream: FSStream): void => {
      const file = this.file(stream.node);
      if (!file) {
        return;
      }
      try {
        if ((stream.flags & O_ACCMODE) !== O_RDONLY) {
          this.save(stream.node, file);
        }
      } finally {
        if (--file.opened <= 0) {
          stream.node.driveFile = undefined;
        }
      }
    },

    fsync: (stream: FSStream): number => {
      const file = this.file(stream.node);
      if (file) {
        this.save(stream.node, file);
      }
      return 0;
    },

    read: (
      stream: FSStream,
      buffer: Uint8Array,
      offset: number,
      length: number,
      position: number,
    ): number => {
      const file = this.file(stream.node);
      if (!file || position >= file.size) {
        return 0;
      }
      const size = Math.min(file.size - position, length);
      buffer.set(file.data.subarray(position, position + size), offset);
      return size;
    },

    write: (
      stream: FSStream,
      buffer: Uint8Array,
      offset: number,
      length: number,
      position: number,
    ): number => {
      const file = this.file(stream.node);
      if (!file || length <= 0) {
        return 0;
      }
      if (position + length > file.size) {
        this.resize(file, position + length);
      }
      file.data.set(buffer.subarray(offset, offset + length), position);
      file.dirty = true;
      return length;
    },

    llseek: (stream: FSStream, offset: number, whence: number): number => {
      let position = offset;
      if (whence === SEEK_CUR) {
        position += stream.position;
      } else if (whence === SEEK_END && this.FS.isFile(stream.node.mode)) {
        position += this.file(stream.node)?.size ?? 0;
      }
      if (position < 0) {
        throw this.error('EINVAL');
      }
      return position;
    },
  };
}

function emptyFile(): OpenFile {
  return { data: new Uint8Array(0), size: 0, dirty: false, opened: 0 };
}
