/**
 * Files of the site that Python reads when it needs them. They are fetched at that moment, or earlier in the background.
 */
import { gunzipSync } from 'fflate';

import { checkSum, damagedAsset, fetchAsset, isGzip, isPage, missingAsset, OTHER_SUM } from '../assets';
import { errorText } from '../errors';
import { isZstd, unzstdNow } from '../zstd';
import { ChunkedGzip } from './chunked_gzip';
import type { EmscriptenFS, FSNode } from './emscripten';
import { storedBytes, type StoredBytes } from './stored_bytes';

/** Emscripten's number: Python raises OSError. */
const EIO = 29;
/** Bytes that tell what a file is. */
const SIGNATURE_BYTES = 4;
/** Whether this worker can fetch while Python waits: a browser's worker can, Deno's cannot. */
export const FETCHES_NOW = typeof XMLHttpRequest !== 'undefined';

/** Reads `url` while Python waits. @param anew - whether to ask the server even if the browser has the file in its cache. */
export function readSync(url: string, anew = false): Uint8Array {
  if (!FETCHES_NOW) {
    throw missingAsset(url, 'it could not be read before Python has started');
  }
  const request = new XMLHttpRequest();
  request.open('GET', url, false);
  if (anew) {
    request.setRequestHeader('Cache-Control', 'no-cache');
  }
  request.responseType = 'arraybuffer';
  request.send();
  if (request.status !== 200) {
    throw missingAsset(url, `HTTP ${request.status}`);
  }
  if (isPage(request.getResponseHeader('content-type'))) {
    throw missingAsset(url, 'the server sends a web page in its place');
  }
  return new Uint8Array(request.response as ArrayBuffer);
}

export class LazyAsset {
  private fetched: StoredBytes | null = null;
  private whole: Uint8Array | null = null;
  private chunks: ChunkedGzip | null = null;
  /** The file if it is not compressed, once it has been checked. */
  private plain: StoredBytes | null = null;
  private broken: Error | null = null;
  /** Called when the page has fetched the file. */
  onTaken: (() => void) | null = null;

  /**
   * @param sum - CRC-32 of the bytes, unpacked if they are gzip or Zstandard.
   * @param onError - called once with what is wrong with the file.
   */
  constructor(
    readonly url: string,
    private readonly sum: number,
    private readonly onError: (text: string) => void,
  ) {}

  /** Takes the file as it was fetched. `get` and `slice` unpack and check it. */
  take(bytes: Uint8Array | Blob): void {
    this.fetched ??= storedBytes(bytes);
  }

  /** Fetches the file before Python runs: once Python runs, it may block the worker. */
  async prefetch(): Promise<Uint8Array> {
    const bytes = new Uint8Array(await (await fetchAsset(this.url)).arrayBuffer());
    this.take(bytes);
    return bytes;
  }

  /** Frees the memory of the bytes, which are not needed any more. */
  release(): void {
    this.fetched = this.whole = this.plain = this.chunks = null;
  }

  /** The bytes, unpacked if they are gzip or Zstandard. */
  get(): Uint8Array {
    this.fetched ??= this.plain ?? this.chunks?.file ?? null;
    return this.whole ?? this.read(file => this.unpack(file));
  }

  /**
   * `length` of the bytes from `start` on. Of a file in chunks, only what is asked for is unpacked and checked. A large file that is not compressed
   * does not stay in memory.
   */
  slice(start: number, length: number): Uint8Array {
    if (!this.whole) {
      if (this.chunks) {
        try {
          return this.chunks.slice(start, length);
        } catch {
          this.fetched = this.chunks.file; // is reported, unless the server has a copy that is not damaged
        }
      }
      if (this.plain) {
        try {
          return this.plain.read(start, start + length);
        } catch {
          this.plain = null; // the browser has lost it
        }
      }
      const part = this.read(file => {
        const begin = file.read(0, SIGNATURE_BYTES);
        this.chunks = isGzip(begin) ? ChunkedGzip.open(file) : null;
        if (!this.chunks && !isGzip(begin) && !isZstd(begin)) {
          checkSum(file.read(0, file.length), this.sum);
          this.plain = file;
          return file.read(start, start + length);
        }
        if (!this.chunks) {
          this.unpack(file);
          return null;
        }
        if (this.chunks.sum !== this.sum) {
          this.chunks = null;
          throw new Error(OTHER_SUM);
        }
        return this.chunks.slice(start, length);
      });
      if (part) {
        return part;
      }
    }
    return this.whole!.subarray(start, start + length);
  }

  /** Unpacks the file by `use`, which throws if it is damaged. */
  private read<T>(use: (file: StoredBytes) => T): T {
    if (this.broken) {
      throw this.broken; // reported before
    }
    let problem!: Error;
    // The fault may be in the browser's cache: a second try asks the server.
    for (const anew of FETCHES_NOW ? [false, true] : [false]) {
      try {
        const file = this.fetched ?? storedBytes(readSync(this.url, anew), true);
        try {
          return use(file);
        } catch (error) {
          throw damagedAsset(this.url, errorText(error));
        }
      } catch (error) {
        problem = error as Error;
      } finally {
        this.fetched = null;
      }
    }
    this.chunks = null;
    this.onError(errorText(problem));
    if (problem.name !== 'NetworkError') {
      this.broken = problem; // the network, in contrast, may come back
    }
    throw problem;
  }

  private unpack(file: StoredBytes): Uint8Array {
    const raw = file.read(0, file.length);
    const bytes = isGzip(raw) ? gunzipSync(raw) : isZstd(raw) ? unzstdNow(raw) : raw;
    checkSum(bytes, this.sum);
    this.whole = bytes;
    return bytes;
  }
}

/** Returns a function that creates an empty file, and the folders of its path that are missing. It looks up each folder once. */
export function fileMaker(FS: EmscriptenFS): (path: string) => FSNode {
  const folders = new Map<string, FSNode>();
  return path => {
    const cut = path.lastIndexOf('/');
    const parent = path.slice(0, cut);
    let folder = folders.get(parent);
    if (!folder) {
      FS.mkdirTree(parent);
      folder = FS.lookupPath(parent).node;
      folders.set(parent, folder);
    }
    return FS.filesystems.MEMFS.createNode(folder, path.slice(cut + 1), 0o100644, 0);
  };
}

/** What Emscripten calls to read from an open file: `buffer` gets bytes at `offset`. Returns how many. */
type ReadStream = (stream: unknown, buffer: Int8Array, offset: number, length: number, position: number) => number;

/** Makes `node` a file whose parts are read from `asset` each time, so that it need not be in memory. */
export function makeParted(FS: EmscriptenFS, node: FSNode, size: number, asset: LazyAsset): void {
  let isWhole = false;
  makeLazy(FS, node, size, () => {
    isWhole = true;
    return asset.get();
  });
  const { read: readWhole, ...others } = node.stream_ops as { read: ReadStream };
  const read: ReadStream = (stream, buffer, offset, length, position) => {
    if (isWhole) {
      return readWhole(stream, buffer, offset, length, position);
    }
    const count = Math.max(0, Math.min(length, size - position));
    try {
      buffer.set(asset.slice(position, count), offset);
    } catch {
      throw new FS.ErrnoError(EIO);
    }
    return count;
  };
  node.stream_ops = { ...others, read };
}

/** Makes `node` a file of `size` bytes. `read` supplies the contents when they are first used. */
export function makeLazy(FS: EmscriptenFS, node: FSNode, size: number, read: () => Uint8Array): void {
  let contents: Uint8Array | null = null;
  Object.defineProperties(node, {
    usedBytes: { value: size, writable: true, configurable: true, enumerable: true },
    contents: {
      configurable: true,
      enumerable: true,
      get() {
        if (contents === null) {
          try {
            contents = read();
          } catch {
            throw new FS.ErrnoError(EIO);
          }
        }
        return contents;
      },
      set(value: Uint8Array) {
        contents = value;
      },
    },
  });
}
