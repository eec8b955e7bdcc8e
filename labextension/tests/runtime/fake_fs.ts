/** The part of Emscripten's file system that the worker's own files need, in memory. */
import type { EmscriptenFS, FSNode } from '../../src/runtime/worker/emscripten';

class ErrnoError extends Error {
  constructor(readonly errno: number) {
    super(`errno ${errno}`);
  }
}

export const ERRNO = {
  EIO: 29,
  ENOENT: 44,
  EINTR: 27,
  EINVAL: 28,
  ENOTEMPTY: 55,
  EPERM: 63,
  ENAMETOOLONG: 37,
  ENODEV: 43,
};

export class FakeFS {
  readonly ErrnoError = ErrnoError;
  readonly files = new Map<string, Uint8Array>();
  readonly folders = new Set<string>();
  private readonly nodes: FSNode[] = [];

  createNode(parent: FSNode | null, name: string, mode: number): FSNode {
    const node = { id: this.nodes.length + 1, name, mode } as FSNode;
    node.parent = parent ?? node;
    this.nodes.push(node);
    return node;
  }
  hashRemoveNode(node: FSNode): void {
    this.nodes.splice(this.nodes.indexOf(node), 1);
  }
  lookupNode(parent: FSNode, name: string): FSNode {
    const found = this.nodes.find(node => node.parent === parent && node.name === name);
    if (!found) {
      throw new ErrnoError(ERRNO.ENOENT);
    }
    return found;
  }
  isDir = (mode: number): boolean => (mode & 0o170000) === 0o040000;
  isFile = (mode: number): boolean => (mode & 0o170000) === 0o100000;
  mkdirTree(path: string): void {
    this.folders.add(path);
  }
  writeFile(path: string, data: Uint8Array): void {
    this.files.set(path, data);
  }

  get typed(): EmscriptenFS {
    return this as unknown as EmscriptenFS;
  }
}
