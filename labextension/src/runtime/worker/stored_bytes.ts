/**
 * Bytes of files: in the worker's memory, or in a Blob. The browser keeps a Blob outside of pages and workers, once for all kernels of a page.
 */
import { Recent } from './recent';

export interface StoredBytes {
  readonly length: number;
  /** The bytes from `start` to `end`. They may be a view. @throws Error if the browser has lost them. */
  read(start: number, end: number): Uint8Array;
}

/** Workers have it; the types of pages do not. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

/** Bytes that are read at once from a Blob, since a read costs a call of another process. */
const BLOCK_BYTES = 256 << 10;
/** How many such blocks stay in memory. */
const MOST_BLOCKS = 4;
/** Size in bytes from which a file is worth keeping in a Blob. */
const LARGE = 1 << 20;

class InMemory implements StoredBytes {
  constructor(private readonly bytes: Uint8Array) {}

  get length(): number {
    return this.bytes.length;
  }

  read(start: number, end: number): Uint8Array {
    return this.bytes.subarray(start, end);
  }
}

class InBlob implements StoredBytes {
  private readonly blocks = new Recent<Uint8Array>(MOST_BLOCKS);

  constructor(private readonly blob: Blob) {}

  get length(): number {
    return this.blob.size;
  }

  read(start: number, end: number): Uint8Array {
    const first = Math.floor(start / BLOCK_BYTES);
    if (end - start > BLOCK_BYTES || Math.floor((end - 1) / BLOCK_BYTES) > first + 1) {
      return this.readNow(start, end);
    }
    const from = start - first * BLOCK_BYTES;
    const block = this.block(first);
    if (from + end - start <= block.length) {
      return block.subarray(from, from + end - start);
    }
    const bytes = new Uint8Array(end - start);
    const rest = block.subarray(from);
    bytes.set(rest);
    bytes.set(this.block(first + 1).subarray(0, bytes.length - rest.length), rest.length);
    return bytes;
  }

  private block(index: number): Uint8Array {
    return this.blocks.get(index, () => this.readNow(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES));
  }

  private readNow(start: number, end: number): Uint8Array {
    return new Uint8Array(new FileReaderSync().readAsArrayBuffer(this.blob.slice(start, Math.min(end, this.length))));
  }
}

/** @param keeps - whether the bytes will be read again and again. Then large ones need not stay in memory. */
export function storedBytes(bytes: Uint8Array | Blob, keeps = false): StoredBytes {
  if (bytes instanceof Uint8Array) {
    return keeps && bytes.length >= LARGE && typeof FileReaderSync !== 'undefined'
      ? new InBlob(new Blob([bytes as Uint8Array<ArrayBuffer>]))
      : new InMemory(bytes);
  }
  return new InBlob(bytes);
}
