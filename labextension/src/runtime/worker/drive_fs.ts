/**
 * The JupyterLite drive as an Emscripten file system. Contents are bytes in both directions.
 */
import { DriveFile } from './drive_file';
import { DriveRequests } from './drive_requests';
import { driveStreams } from './drive_streams';
import type { EmscriptenFS, ErrnoCodes, FSNode } from './emscripten';
import { OpenFiles } from './open_files';
import type { PageCalls } from './page_calls';

const DIR_MODE = 0o40777;
/** Longest name, in bytes, as on Linux. */
const MAX_NAME_BYTES = 255;

interface Attributes {
  size: number;
  mtime: string;
  ctime: string;
}

/** Times that Python has set. Drives cannot store them: they hold as long as the drive's own time is still `seen`. */
interface Times {
  seen: string;
  atime: number;
  mtime: number;
}

interface Changes {
  mode?: number;
  size?: number;
  /** In ms. If null or missing, the time does not change. */
  atime?: number | null;
  mtime?: number | null;
  /** Both times, in older versions of Emscripten, which send it with other changes too. */
  timestamp?: number;
}

export class DriveFS {
  private readonly requests: DriveRequests;
  private readonly files: OpenFiles;
  private readonly streamOps: object;

  constructor(
    private readonly FS: EmscriptenFS,
    errno: ErrnoCodes,
    calls: Pick<PageCalls, 'call'>,
  ) {
    this.requests = new DriveRequests(FS, errno, calls);
    this.files = new OpenFiles(this.requests);
    this.streamOps = driveStreams(FS, this.requests, this.files);
  }

  /** Emscripten's file-system type interface. */
  mount = (): FSNode => this.createNode(null, '/', DIR_MODE);

  /**
   * Writes back all open files that have changed.
   *
   * @returns one line for each file that could not be saved.
   */
  saveAll(): string {
    return this.files.saveAll();
  }

  private createNode(parent: FSNode | null, name: string, mode: number): FSNode {
    if (!this.FS.isDir(mode) && !this.FS.isFile(mode)) {
      throw this.requests.error('EINVAL');
    }
    const node = this.FS.createNode(parent, name, mode, 0);
    node.node_ops = this.nodeOps;
    node.stream_ops = this.streamOps;
    return node;
  }

  private checkName(name: string): void {
    if (name.length > MAX_NAME_BYTES / 4 && new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
      throw this.requests.error('ENAMETOOLONG');
    }
  }

  /** Changes a folder's time, since drives do not. Python's importers read a folder again only if its time has changed. */
  private changed(folder: FSNode): void {
    folder.driveChanged = Math.max(Date.now(), (folder.driveChanged ?? 0) + 1);
  }

  /** Sets a file's times; null leaves one as it is. */
  private setTimes(node: FSNode, atime: number | null, mtime: number | null): void {
    const file = node.driveFile;
    if (file?.removed) {
      file.changed = mtime ?? file.changed;
      return;
    }
    const before = this.getattr(node);
    if (file) {
      this.files.save(node, file); // saving later would change the time again
    }
    const path = this.requests.path(node);
    const times = { atime: atime ?? before.atime.getTime(), mtime: mtime ?? before.mtime.getTime() };
    this.requests.ask('utime', path, times);
    node.driveTimes = { ...times, seen: (this.requests.ask('getattr', path) as Attributes).mtime };
  }

  private getattr(node: FSNode): { mtime: Date; atime: Date } {
    const isDirectory = this.FS.isDir(node.mode);
    const file = node.driveFile;
    const attributes =
      node.parent === node || file?.removed
        ? { size: 0, mtime: '', ctime: '' }
        : (this.requests.ask('getattr', this.requests.path(node)) as Attributes);
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

  /** The node for a name, if Emscripten has looked the name up before. */
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
        const open = node.driveFile;
        const file = open ?? (size === 0 ? new DriveFile() : this.files.load(node));
        file.resize(size);
        if (!open) {
          this.files.save(node, file);
        }
      } else if (mode === undefined) {
        this.setTimes(node, atime ?? timestamp ?? null, mtime ?? timestamp ?? null);
      }
    },

    lookup: (parent: FSNode, name: string): FSNode => {
      this.checkName(name);
      const found = this.requests.ask('lookup', this.requests.path(parent, name)) as { ok: boolean; mode?: number };
      if (!found.ok) {
        throw this.requests.error('ENOENT');
      }
      return this.createNode(parent, name, found.mode!);
    },

    mknod: (parent: FSNode, name: string, mode: number): FSNode => {
      this.checkName(name);
      this.requests.ask('mknod', this.requests.path(parent, name), { mode });
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
      const path = this.requests.path(newParent, newName);
      const moved = this.requests.ask('rename', this.requests.path(node), { newPath: path }) as {
        before: string;
        after: string;
      } | null;
      if (replaced) {
        this.files.detach(newParent, newName);
        this.FS.hashRemoveNode(replaced);
      }
      if (moved && this.FS.isFile(node.mode)) {
        // Some drives change a file's time when they move it.
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
      this.requests.ask('rmdir', this.requests.path(parent, name));
      this.files.detach(parent, name);
      this.changed(parent);
    },

    rmdir: (parent: FSNode, name: string): void => {
      const path = this.requests.path(parent, name);
      if ((this.requests.ask('readdir', path) as string[]).length > 0) {
        throw this.requests.error('ENOTEMPTY');
      }
      this.requests.ask('rmdir', path);
      this.changed(parent);
    },

    readdir: (node: FSNode): string[] => [
      '.',
      '..',
      ...(this.requests.ask('readdir', this.requests.path(node)) as string[]),
    ],

    symlink: (): never => {
      throw this.requests.error('EPERM');
    },

    readlink: (): never => {
      throw this.requests.error('EINVAL');
    },
  };
}
