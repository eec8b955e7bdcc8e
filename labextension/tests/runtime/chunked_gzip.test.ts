import { gunzipSync, gzipSync } from 'fflate';
import { constants, deflateRawSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';

import { crc32 } from '../../src/runtime/crc32';
import { ChunkedGzip } from '../../src/runtime/worker/chunked_gzip';
import { LazyAsset } from '../../src/runtime/worker/lazy_assets';
import { storedBytes } from '../../src/runtime/worker/stored_bytes';

const CHUNK = 256 << 10;
const SIZE = 3 * CHUNK + 70_000;
const URL_ = 'https://a.example/site.pack.gz';

const content = new TextEncoder().encode(Array.from({ length: 200_000 }, (_, i) => i).join(' ')).subarray(0, SIZE);

/** A file as `chunked_gzip.py` makes it. */
function compressed(): Uint8Array {
  const starts = Array.from({ length: Math.ceil(SIZE / CHUNK) }, (_, index) => index * CHUNK);
  const chunks = starts.map(start => content.subarray(start, start + CHUNK));
  const packed = chunks.map(chunk => deflateRawSync(chunk, { finishFlush: constants.Z_FULL_FLUSH }));
  const numbers = Uint32Array.from([CHUNK, ...chunks.flatMap((chunk, i) => [packed[i].length, crc32(chunk)])]);
  const header = [31, 139, 8, 4, 0, 0, 0, 0, 2, 255];
  const lengths = Uint16Array.from([numbers.byteLength + 4, 0x4742, numbers.byteLength]);
  const trailer = Uint32Array.from([crc32(content), SIZE]);
  const pieces = [lengths, numbers, ...packed, Uint8Array.from([3, 0]), trailer];
  return Uint8Array.from(
    Buffer.concat([
      Uint8Array.from(header),
      ...pieces.map(each => Buffer.from(each.buffer, each.byteOffset, each.byteLength)),
    ]),
  );
}

const file = compressed();

/** Compares bytes. The matcher `toEqual` is slow for long ones. */
const expectBytes = (bytes: Uint8Array, start: number, length: number): void =>
  expect(Buffer.compare(bytes, content.subarray(start, start + length))).toBe(0);

describe('a gzip file in chunks', () => {
  it.each([
    [0, 10],
    [CHUNK - 5, 5],
    [CHUNK - 5, 10],
    [CHUNK, 1],
    [5, 2 * CHUNK],
    [0, SIZE],
    [SIZE - 3, 3],
    [SIZE, 0],
  ])('gives from %i on %i bytes of its content', (start, length) => {
    expectBytes(ChunkedGzip.open(storedBytes(file))!.slice(start, length), start, length);
  });

  it('is one for other readers, too', () => expectBytes(gunzipSync(file), 0, SIZE));

  it('knows the length and checksum of its content', () => {
    expect(ChunkedGzip.open(storedBytes(file))).toMatchObject({ size: SIZE, sum: crc32(content) });
  });

  it.each([
    ['an ordinary gzip file', gzipSync(new Uint8Array(100))],
    ['half a header', new Uint8Array([31, 139, 8, 4])],
  ])('%s is none', (_, bytes) => expect(ChunkedGzip.open(storedBytes(bytes))).toBeNull());
});

describe('a file of which parts are read', () => {
  const asset = (bytes: Uint8Array, sum = crc32(content)): [LazyAsset, ReturnType<typeof vi.fn>] => {
    const onError = vi.fn();
    const made = new LazyAsset(URL_, sum, onError);
    made.take(bytes);
    return [made, onError];
  };

  it('is unpacked only there', () => {
    const damaged = file.slice();
    damaged.fill(0, damaged.length - 5000, damaged.length - 4000); // in the last chunk
    const [read, onError] = asset(damaged);
    expectBytes(read.slice(7, 20), 7, 20);
    expectBytes(read.slice(CHUNK, 20), CHUNK, 20);
    expect(onError).not.toHaveBeenCalled();
    expect(() => read.slice(SIZE - 20_000, 20_000)).toThrow(`${URL_} is damaged`);
    expect(() => read.slice(7, 20)).toThrow(`${URL_} is damaged`);
    expect(onError).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['one gzip stream', () => gzipSync(content)],
    ['unpacked already', () => content],
  ])('may be %s', (_, bytes) => {
    const [read] = asset(bytes());
    expectBytes(read.slice(CHUNK - 1, 3), CHUNK - 1, 3);
    expectBytes(read.get(), 0, SIZE);
  });

  it('of another version is refused', () => {
    const [read, onError] = asset(file, 1);
    expect(() => read.slice(0, 1)).toThrow(`${URL_} is damaged or of another version (its checksum differs)`);
    expect(onError).toHaveBeenCalledTimes(1);
  });
});
