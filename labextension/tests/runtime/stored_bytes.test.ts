/** Bytes in memory and in Blobs, and files of which only parts are read. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { crc32 } from '../../src/runtime/crc32';
import { LazyAsset, makeParted } from '../../src/runtime/worker/lazy_assets';
import { storedBytes } from '../../src/runtime/worker/stored_bytes';
import { ERRNO, FakeFS } from './fake_fs';

const CONTENT = new Uint8Array(2_000_000).map((_, i) => Math.imul(i, 0x9e3779b1) >>> 24);
const BLOCK = 256 << 10;

/** A Blob that can be read at once, as workers can. */
class FakeBlob extends Blob {
  static lost = false;
  readonly reads: [number, number][] = [];

  constructor(private readonly bytes: Uint8Array<ArrayBuffer>) {
    super([bytes]);
  }

  override slice(start: number, end: number): Blob {
    this.reads.push([start, end]);
    return { now: this.bytes.slice(start, end).buffer } as unknown as Blob;
  }
}

beforeEach(() => {
  FakeBlob.lost = false;
  vi.stubGlobal(
    'FileReaderSync',
    class {
      readAsArrayBuffer(part: Blob): ArrayBuffer {
        if (FakeBlob.lost) {
          throw new DOMException('gone', 'NotReadableError');
        }
        return (part as unknown as { now: ArrayBuffer }).now;
      }
    },
  );
});
afterEach(() => vi.unstubAllGlobals());

const same = (found: Uint8Array, start: number, end: number): void =>
  expect(Buffer.compare(found, CONTENT.subarray(start, end))).toBe(0);

describe('stored bytes', () => {
  it.each([
    ['memory', () => CONTENT],
    ['a Blob', () => new FakeBlob(CONTENT)],
  ])('are read in parts from %s', (_, make) => {
    const bytes = storedBytes(make());
    expect(bytes.length).toBe(CONTENT.length);
    for (const [start, end] of [
      [0, 0],
      [0, 10],
      [BLOCK - 5, BLOCK],
      [BLOCK - 5, BLOCK + 5],
      [3 * BLOCK, 3 * BLOCK + 1],
      [5, 3 * BLOCK],
      [0, CONTENT.length],
      [CONTENT.length - 7, CONTENT.length],
    ]) {
      same(bytes.read(start, end), start, end);
    }
  });

  it('that lie together are read from a Blob once', () => {
    const blob = new FakeBlob(CONTENT);
    const bytes = storedBytes(blob);
    for (let at = 0; at < BLOCK; at += 1000) {
      same(bytes.read(at, at + 1000), at, at + 1000);
    }
    expect(blob.reads.slice(0, 2)).toEqual([
      [0, BLOCK],
      [BLOCK, 2 * BLOCK],
    ]);
    expect(blob.reads).toHaveLength(2);
  });
});

/** A file of which parts are read, and a function that reads them as Emscripten does. */
function parted(file: Uint8Array | Blob, sum = crc32(CONTENT)) {
  const fs = new FakeFS();
  const node = fs.createNode(null, 'python.zip', 0o100644);
  const readWhole = vi.fn(() => 0);
  node.stream_ops = { read: readWhole };
  const asset = new LazyAsset('https://a.example/python.zip', sum, () => undefined);
  asset.take(file);
  makeParted(fs.typed, node, CONTENT.length, asset);
  const read = (position: number, length: number): Uint8Array => {
    const memory = new Int8Array(length + 3);
    const ops = node.stream_ops as { read(...rest: unknown[]): number };
    const count = ops.read({ node }, memory, 3, length, position);
    return new Uint8Array(memory.buffer, 3, count);
  };
  return { node: node as unknown as { contents: Uint8Array; usedBytes: number }, read, readWhole };
}

describe('a file of which parts are read', () => {
  it('is never whole in memory unless something asks for all of it', () => {
    const { node, read, readWhole } = parted(new FakeBlob(CONTENT));
    expect(node.usedBytes).toBe(CONTENT.length);
    same(read(70_000, 50), 70_000, 70_050);
    same(read(CONTENT.length - 10, 50), CONTENT.length - 10, CONTENT.length);
    expect(read(CONTENT.length, 50)).toHaveLength(0);
    expect(readWhole).not.toHaveBeenCalled();
    same(node.contents, 0, CONTENT.length);
    read(0, 1);
    expect(readWhole).toHaveBeenCalledOnce();
  });

  it('is an error of the file system where it is damaged or lost', () => {
    expect(() => parted(CONTENT, 1).read(0, 1)).toThrow(`errno ${ERRNO.EIO}`);
    const { read } = parted(new FakeBlob(CONTENT));
    read(0, 1);
    FakeBlob.lost = true;
    expect(() => read(5 * BLOCK, 1)).toThrow(`errno ${ERRNO.EIO}`);
  });
});
