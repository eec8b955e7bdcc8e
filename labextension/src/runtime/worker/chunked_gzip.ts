/**
 * Reads parts of gzip files that are compressed in chunks, without unpacking what comes before them.
 * `jupyterlite_browsergrad/boot/chunked_gzip.py` makes the files and describes their format.
 */
import { inflateSync } from 'fflate';

import { checkSum } from '../assets';
import { Recent } from './recent';
import type { StoredBytes } from './stored_bytes';

/** Bytes before the extra field: the fixed header and the length of the extra fields. */
const HEADER = 12;
const FIELD_HEADER = 4;
const HAS_EXTRA_FIELD = 4;
const FIELD_ID = 0x4742; // "BG"
const TRAILER = 8;
/** An empty last block, which completes the deflate data of a chunk. */
const END = [1, 0, 0, 0xff, 0xff];

/** How many chunks stay unpacked: files that are read one after the other often share one. */
const MOST_UNPACKED = 8;

function viewOf(file: StoredBytes, start: number, end: number): DataView {
  const { buffer, byteOffset, byteLength } = file.read(start, end);
  return new DataView(buffer, byteOffset, byteLength);
}

interface Chunk {
  /** Offset in the file. */
  at: number;
  /** Length in the file. */
  packed: number;
  /** CRC-32 of the content. */
  sum: number;
}

export class ChunkedGzip {
  private readonly unpacked = new Recent<Uint8Array>(MOST_UNPACKED);

  private constructor(
    readonly file: StoredBytes,
    private readonly chunkBytes: number,
    private readonly chunks: readonly Chunk[],
    /** CRC-32 of the whole content, as the file says. */
    readonly sum: number,
    /** Length of the whole content. */
    readonly size: number,
  ) {}

  /** Returns a reader; null if the file is not in chunks. */
  static open(file: StoredBytes): ChunkedGzip | null {
    const first = HEADER + FIELD_HEADER;
    if (file.length < first + 4 + TRAILER) {
      return null;
    }
    const begin = viewOf(file, 0, first);
    if (!(begin.getUint8(3) & HAS_EXTRA_FIELD) || begin.getUint16(HEADER, true) !== FIELD_ID) {
      return null;
    }
    const end = first + begin.getUint16(HEADER + 2, true);
    if (end + TRAILER > file.length) {
      return null;
    }
    const view = viewOf(file, 0, end);
    const chunks: Chunk[] = [];
    let at = end;
    for (let entry = first + 4; entry + 8 <= end; entry += 8) {
      const packed = view.getUint32(entry, true);
      chunks.push({ at, packed, sum: view.getUint32(entry + 4, true) });
      at += packed;
    }
    const trailer = viewOf(file, file.length - TRAILER, file.length);
    const [sum, size] = [trailer.getUint32(0, true), trailer.getUint32(4, true)];
    return new ChunkedGzip(file, view.getUint32(first, true), chunks, sum, size);
  }

  /**
   * Returns a copy of `length` bytes of the content from `start` on.
   *
   * @throws Error if the file is damaged there.
   */
  slice(start: number, length: number): Uint8Array {
    if (length === 0) {
      return new Uint8Array(0);
    }
    const first = Math.floor(start / this.chunkBytes);
    const last = Math.floor((start + length - 1) / this.chunkBytes);
    const offset = start - first * this.chunkBytes;
    if (first === last) {
      return this.chunk(first).slice(offset, offset + length);
    }
    const bytes = new Uint8Array(length);
    for (let index = first; index <= last; index++) {
      const from = Math.max(start, index * this.chunkBytes);
      const part = this.chunk(index).subarray(from - index * this.chunkBytes);
      bytes.set(part.subarray(0, start + length - from), from - start);
    }
    return bytes;
  }

  private chunk(index: number): Uint8Array {
    return this.unpacked.get(index, () => this.unpack(index));
  }

  private unpack(index: number): Uint8Array {
    const { at, packed, sum } = this.chunks[index];
    const data = new Uint8Array(packed + END.length);
    data.set(this.file.read(at, at + packed));
    data.set(END, packed);
    const length = Math.min(this.chunkBytes, this.size - index * this.chunkBytes);
    const content = inflateSync(data, { out: new Uint8Array(length) });
    checkSum(content, sum);
    return content;
  }
}
