/**
 * Files of the site that Python reads when it needs them: fetched at once when that happens, or in the
 * background before.
 */
import { gunzipSync } from 'fflate';

import { errorText } from '../errors';
import type { EmscriptenFS, FSNode } from './emscripten';

/** Reads `url` now; a browser's workers can. */
export function readSync(url: string): Uint8Array {
  const request = new XMLHttpRequest();
  request.open('GET', url, false);
  request.responseType = 'arraybuffer';
  request.send();
  if (request.status !== 200) {
    throw new Error(`${url} is missing from the site (HTTP ${request.status}): publish the whole output folder`);
  }
  return new Uint8Array(request.response as ArrayBuffer);
}

export class LazyAsset {
  private fetched: Uint8Array | null = null;
  private unpacked: Uint8Array | null = null;

  constructor(
    readonly url: string,
    private readonly onError: (text: string) => void,
  ) {}

  /** The file, as the page has fetched it; it stays packed until it is needed. */
  take(bytes: Uint8Array): void {
    this.fetched ??= bytes;
  }

  /** Fetches it before Python runs, which blocks the worker. */
  async prefetch(): Promise<void> {
    try {
      if (!this.fetched) {
        const response = await fetch(this.url);
        if (!response.ok) {
          throw new Error(`HTTP ${response.status}`);
        }
        const bytes = new Uint8Array(await response.arrayBuffer());
        this.fetched ??= bytes;
      }
    } catch (error) {
      this.onError(`${this.url} could not be fetched (${String(error)}); it is tried again when Python needs it`);
    }
  }

  /** The bytes, unpacked if they are gzip. */
  get(): Uint8Array {
    if (this.unpacked) {
      return this.unpacked;
    }
    try {
      const raw = this.fetched ?? readSync(this.url);
      const bytes = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw;
      this.fetched = this.unpacked = bytes;
      return bytes;
    } catch (error) {
      this.onError(errorText(error));
      throw error;
    }
  }
}

/** Makes `node` a file of `size` bytes whose contents `read` supplies at the first use. */
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
            throw new FS.ErrnoError(29); // EIO: Python raises OSError
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
