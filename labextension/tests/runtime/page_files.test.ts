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

  it('leave other errors as they are', () => {
    const error = new TypeError('a mistake of ours');
    expect(() => failing(error).read('/a')).toThrow(error);
  });
});
