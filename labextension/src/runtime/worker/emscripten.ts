/** The parts of Emscripten's file system this worker touches. */
import type { DriveFile } from './drive_file';

export interface FSNode {
  id: number;
  name: string;
  parent: FSNode;
  mode: number;
  /** Of files in memory: their size. */
  usedBytes?: number;
  node_ops: object;
  stream_ops: object;
  /** Ours: the contents while the file is open. */
  driveFile?: DriveFile;
  /** Ours: times Python has set. */
  driveTimes?: unknown;
  /** Ours, of folders: when Python last added or removed a name, in milliseconds. */
  driveChanged?: number;
}

export interface FSStream {
  node: FSNode;
  position: number;
  flags: number;
  /** Ours: the contents, also of a file whose name is gone. */
  driveFile?: DriveFile;
}

export interface EmscriptenFS {
  ErrnoError: new (errno: number) => Error;
  createNode(parent: FSNode | null, name: string, mode: number, dev: number): FSNode;
  /** Removes a node from those that lookups find. */
  hashRemoveNode(node: FSNode): void;
  lookupNode(parent: FSNode, name: string): FSNode;
  filesystems: {
    MEMFS: {
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
  readFile(path: string): Uint8Array;
}

export type ErrnoCodes = Record<string, number>;
