/** The parts of Emscripten's file system that this worker uses. */
import type { DriveFile } from './drive_file';

export interface FSNode {
  id: number;
  name: string;
  parent: FSNode;
  mode: number;
  /** Size; only files in memory have it. */
  usedBytes?: number;
  node_ops: object;
  stream_ops: object;
  /** Ours: the contents while the file is open. */
  driveFile?: DriveFile;
  /** Ours: the times that Python has set. */
  driveTimes?: unknown;
  /** Ours, only on folders: when Python last added or removed a name, in milliseconds. */
  driveChanged?: number;
}

export interface FSStream {
  node: FSNode;
  position: number;
  flags: number;
  /** Ours: the contents, even after the file's name is gone. */
  driveFile?: DriveFile;
}

export interface EmscriptenFS {
  ErrnoError: new (errno: number) => Error;
  createNode(parent: FSNode | null, name: string, mode: number, dev: number): FSNode;
  /** Makes lookups no longer find a node. */
  hashRemoveNode(node: FSNode): void;
  lookupNode(parent: FSNode, name: string): FSNode;
  lookupPath(path: string): { node: FSNode };
  filesystems: {
    MEMFS: {
      createNode(parent: FSNode, name: string, mode: number, dev: number): FSNode;
      ops_table: {
        file: {
          stream: { mmap(stream: object, length: number, position: number, protection: number, flags: number): object };
        };
      };
    };
  };
  isDir(mode: number): boolean;
  isFile(mode: number): boolean;
  mkdirTree(path: string): void;
  mount(type: object, options: object, mountpoint: string): void;
  chdir(path: string): void;
  analyzePath(path: string): { exists: boolean };
  writeFile(path: string, data: Uint8Array, options?: { canOwn?: boolean }): void;
  readFile(path: string, options?: { encoding?: string }): Uint8Array;
  readdir(path: string): string[];
  rename(from: string, to: string): void;
  rmdir(path: string): void;
  unlink(path: string): void;
  lstat(path: string): { mode: number };
}

export type ErrnoCodes = Record<string, number>;
