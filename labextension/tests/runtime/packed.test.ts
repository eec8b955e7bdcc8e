import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { crc32 } from '../../src/runtime/crc32';
import { compilePacked, readForm, readPacked, type PackedFile } from '../../src/runtime/packed';
import { unzstdNow } from '../../src/runtime/zstd';

const FOLDER = 'https://a.example/kernel/';
/** Longer than the decoder's buffers, and partly incompressible. */
const CONTENT = new Uint8Array(900_000).map((_, i) => (i < 400_000 ? 7 : Math.imul(i, 0x9e3779b1) >>> 24));
/** `(module (func (export "f") (result i32) i32.const 7))` */
const MODULE = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5, 1, 0x60, 0, 1, 0x7f, 3, 2, 1, 0],
  ...[7, 5, 1, 1, 0x66, 0, 0, 10, 6, 1, 4, 0, 0x41, 7, 0x0b],
]);

/** What `XZ_FILE` unpacks to: longer than the decoder's buffers. */
const XZ_CONTENT = new Uint8Array(300_000).map((_, i) => (i < 100_000 ? 7 : i * 7 + (i >> 12)));
/** Made with Python's `lzma.compress(content, check=lzma.CHECK_CRC32, preset=9)`. */
const XZ_FILE = Buffer.from(
  '/Td6WFoAAAFpIt42AgAhARwAAAAQz1jM5JPfAbhdAAPv+7/+o7Fe5fg/sqomVfhocEFwFQ+N/R5MG4pCtxn0aRhxrmYjiopNL6MN2X+m44wjEV' +
    'PgWRjFdYrid/i2lH8MasDedElk4ulcU7IE1rH15oeWLKbUzJrHa5hmkW7FoovewH22CjylJ8ucSWheAV8tdqfXui51SAtU020IaCXFyjrpcDuh' +
    '4eTA/SmutTXL7JJBfoKughiQYlGrFb5GqmZvhkIwMxFYBFGbq9R/WKFnKGx4B1HTMSjOqwCeE66b5xZnoWUNcfSqTyPhfuHw8TmBnDGlesZJ3D' +
    'BypPZ9Ttaoa5YM8eD1pHFtXVcQdTY6M0iIoIxvN3iJPmC1p/n2yV8AmUySjMAd0M3Zf5yuVOto0r/VuHrDslQbhuzrIKlOqHzpx6sDcl2Xm8hv' +
    'j2W/+HGS/sYSXisd5l0+qt72tT9fKpODX+JMP1KyAD4xsEloIqpUkyAnES627EpWs9Ik6T19FzgQWOUHrum6mkUJv2FHyjhyK4vkRStqtZAIA6' +
    '4JTgwA3KYB3JUDsDCBLJeLX7fqKBlWB834FHH4TluCRu0JcnWU7tbObkl9Q0cKbTY9JswcTwXzbwAAAAANo24AAdAD4KcSACzId+Q+MA2LAgAA' +
    'AAABWVo=',
  'base64',
);

/** A Zstandard file (RFC 8878) of raw blocks, and of repeated bytes where they are all the same. */
function zstd(bytes: Uint8Array): Uint8Array {
  const BLOCK = 128 << 10;
  const parts = [
    [0x28, 0xb5, 0x2f, 0xfd],
    [0, 0x58],
  ]; // no checksum; a window of 2 MiB
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK);
    const isSame = block.every(byte => byte === block[0]);
    const header = Number(at + BLOCK >= bytes.length) | (Number(isSame) << 1) | (block.length << 3);
    parts.push([header & 255, (header >>> 8) & 255, header >>> 16], Array.from(isSame ? block.subarray(0, 1) : block));
  }
  return Uint8Array.from(parts.flat());
}
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function entryOf(packed: Uint8Array, content: Uint8Array, format?: PackedFile['format']): PackedFile {
  return { file: 'a.bin', sha256: sha256(packed), size: packed.length, crc32: crc32(content), format };
}

/** Answers every request with these bytes, in pieces. */
function serve(bytes: Uint8Array, headers: Record<string, string> = {}, piece = 10_007): void {
  vi.stubGlobal('fetch', async () => {
    let at = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= bytes.length) {
          controller.close();
          return;
        }
        controller.enqueue(bytes.slice(at, at + piece));
        at += piece;
      },
    });
    return new Response(body, { headers: { 'content-type': 'application/octet-stream', ...headers } });
  });
}

afterEach(() => vi.unstubAllGlobals());

describe('a packed file', () => {
  it.each([
    ['zstd', zstd(CONTENT), CONTENT],
    ['xz', XZ_FILE, XZ_CONTENT],
    [undefined, gzipSync(CONTENT), CONTENT],
  ] as const)('is unpacked while it arrives: %s', async (format, packed, content) => {
    for (const piece of [1_009, 1_000_000]) {
      serve(packed, {}, piece);
      const found = await readPacked(FOLDER, entryOf(packed, content, format));
      expect(sha256(new Uint8Array(found))).toBe(sha256(content));
    }
  });

  it('may have been unpacked by the browser, if the host calls its format an encoding', async () => {
    for (const [format, packed] of [['zstd', zstd(CONTENT)] as const, [undefined, gzipSync(CONTENT)] as const]) {
      serve(CONTENT, { 'content-encoding': 'x' });
      expect((await readPacked(FOLDER, entryOf(packed, CONTENT, format))).byteLength).toBe(CONTENT.length);
      serve(packed, { 'content-encoding': 'x' }); // the host has compressed it once more
      expect((await readPacked(FOLDER, entryOf(packed, CONTENT, format))).byteLength).toBe(CONTENT.length);
    }
  });

  it('ends in an error that names it if it is damaged', async () => {
    const packed = zstd(CONTENT);
    const middle = packed.length >>> 1;
    for (const damaged of [
      packed.subarray(0, middle),
      packed.subarray(0, packed.length - 2),
      packed.map((byte, i) => (i === middle ? byte ^ 0x40 : byte)),
      packed.map((byte, i) => (i === 4 ? byte ^ 8 : byte)), // a reserved bit
      CONTENT,
      new Uint8Array(0),
      gzipSync(CONTENT),
    ]) {
      serve(damaged);
      await expect(readPacked(FOLDER, entryOf(packed, CONTENT, 'zstd'))).rejects.toThrow(
        /a\.bin is damaged or of another version \(it/,
      );
    }
  });

  it('ends in such an error if it is damaged XZ', async () => {
    const middle = XZ_FILE.length >>> 1;
    for (const damaged of [
      XZ_FILE.subarray(0, middle),
      XZ_FILE.subarray(0, XZ_FILE.length - 2),
      Buffer.from(XZ_FILE).fill(0x55, middle, middle + 9),
      Buffer.from(XZ_FILE).fill(0, XZ_FILE.length - 30, XZ_FILE.length - 26),
      Buffer.concat([XZ_FILE, new Uint8Array(200_000)]),
      zstd(XZ_CONTENT),
      new Uint8Array(0),
    ]) {
      serve(damaged);
      await expect(readPacked(FOLDER, entryOf(XZ_FILE, XZ_CONTENT, 'xz'))).rejects.toThrow(
        /a\.bin is damaged or of another version \(it/,
      );
    }
  });

  it('is refused if it is whole, but not the one in the manifest', async () => {
    const packed = zstd(CONTENT);
    serve(zstd(CONTENT.map(byte => byte ^ 1)));
    await expect(readPacked(FOLDER, entryOf(packed, CONTENT, 'zstd'))).rejects.toThrow('its SHA-256 is not the one');
  });

  it('is compiled while it arrives', async () => {
    const packed = zstd(MODULE);
    const streaming = vi.spyOn(WebAssembly, 'compileStreaming').mockImplementation(async source => {
      const answer = await source;
      expect(answer.headers.get('content-type')).toBe('application/wasm');
      const bytes: number[] = [];
      // As browsers do: they copy each chunk before they ask for the next, and then it is freed.
      for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
        bytes.push(...chunk);
      }
      return WebAssembly.compile(Uint8Array.from(bytes));
    });
    serve(packed);
    const module = await compilePacked(FOLDER, entryOf(packed, MODULE, 'zstd'));
    expect((new WebAssembly.Instance(module).exports.f as () => number)()).toBe(7);
    expect(streaming).toHaveBeenCalledOnce();
    streaming.mockRestore();
  });
});

it('Zstandard is unpacked while Python waits, too', () => {
  const packed = zstd(CONTENT);
  expect(Buffer.from(unzstdNow(packed)).equals(Buffer.from(CONTENT))).toBe(true);
  expect(() => unzstdNow(packed.slice(0, -9))).toThrow('it is incomplete');
  expect(() => unzstdNow(packed.map((byte, i) => (i === 4 ? 255 : byte)))).toThrow('it is not a complete zstd file');
});

describe('a file with a smaller form', () => {
  const SMALLER = { file: 'a.xz.bin', sha256: 's', size: 3, format: 'xz' } as const;
  const entry: PackedFile = { file: 'a.bin', sha256: 'l', size: 4, crc32: 5, format: 'zstd', smaller: SMALLER };
  const read = vi.fn(async ({ file }: PackedFile) => file);
  afterEach(() => void read.mockReset().mockImplementation(async ({ file }) => file));

  it('is read in that form on slow lines only', async () => {
    expect(await readForm(entry, true, read)).toBe('a.xz.bin');
    expect(read.mock.calls[0][0]).toMatchObject({ ...SMALLER, crc32: 5 });
    expect(await readForm(entry, false, read)).toBe('a.bin');
    expect(await readForm({ ...entry, smaller: undefined }, true, read)).toBe('a.bin');
  });

  it('is read in the other form where that is missing or damaged', async () => {
    read.mockRejectedValueOnce(new Error('a.xz.bin is missing'));
    expect(await readForm(entry, true, read)).toBe('a.bin');
    read.mockRejectedValueOnce(new RangeError('no memory'));
    await expect(readForm(entry, true, read)).rejects.toThrow('no memory');
  });
});
