import { describe, expect, it } from 'vitest';

import type { EmscriptenFS } from '../../src/runtime/worker/emscripten';
import { PageFiles } from '../../src/runtime/worker/page_files';

const CODES = { ENOENT: 44, EISDIR: 31, EBUSY: 10 };

/** Files over a file system in which every call throws this. */
function failing(error: unknown): PageFiles {
  const fail = (): never => {
    throw error;
  };
  return new PageFiles({ readFile: fail, writeFile: fail, mkdirTree: fail } as unknown as EmscriptenFS, CODES);
}

describe("files of Python's for the page", () => {
  it.each([
    [44, '/a/b could not be read: there is no such file (ENOENT)', 'ENOENT'],
    [31, '/a/b could not be read: it is a folder (EISDIR)', 'EISDIR'],
    [10, '/a/b could not be read: EBUSY', 'EBUSY'],
    [999, '/a/b could not be read: error 999', 'error 999'],
  ])('name path and reason of error %s', (number, message, errno) => {
    const files = failing({ name: 'ErrnoError', errno: number });
    expect(() => files.read('/a/b')).toThrow(expect.objectContaining({ message, errno }));
    expect(() => files.write('/a/b', new Uint8Array())).toThrow(message.replace('read', 'written'));
  });

  it('are read with everything below a folder, without links', () => {
    const tree: Record<string, string[]> = { '/home': ['.', '..', 'a', 'b', 'link'], '/home/b': ['.', '..', 'c'] };
    const fs = {
      readdir: (path: string) => tree[path],
      lstat: (path: string) => ({ mode: path in tree ? 1 : path.endsWith('link') ? 3 : 2 }),
      isDir: (mode: number) => mode === 1,
      isFile: (mode: number) => mode === 2,
      readFile: (path: string) => new TextEncoder().encode(path),
    };
    const files = new PageFiles(fs as unknown as EmscriptenFS, CODES).readAll('/home');
    expect(Object.keys(files)).toEqual(['a', 'b/c']);
    expect(new TextDecoder().decode(files['b/c'])).toBe('/home/b/c');
  });

  it('leave other errors as they are', () => {
    const error = new TypeError('a mistake of ours');
    expect(() => failing(error).read('/a')).toThrow(error);
  });
});
