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

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) {
    value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return value;
});

function crc32(bytes: Uint8Array): number {
  let value = -1;
  for (let i = 0; i < bytes.length; i++) {
    value = (value >>> 8) ^ CRC_TABLE[(value ^ bytes[i]) & 255];
  }
  return ~value >>> 0;
}

/** Unpacks gzip; fflate leaves the checksum at its end alone. */
function gunzip(packed: Uint8Array): Uint8Array {
  const bytes = gunzipSync(packed);
  const end = new DataView(packed.buffer, packed.byteOffset + packed.length - 8);
  if (end.getUint32(0, true) !== crc32(bytes) || end.getUint32(4, true) !== bytes.length) {
    throw new Error('its checksum is another');
  }
  return bytes;
}

export class LazyAsset {
  private fetched: Uint8Array | null = null;
  private unpacked: Uint8Array | null = null;
  private broken: Error | null = null;

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
      const response = await fetch(this.url);
      if (!response.ok) {
        throw new Error(`HTTP ${response.status}`);
      }
      this.take(new Uint8Array(await response.arrayBuffer()));
    } catch (error) {
      this.onError(`${this.url} could not be fetched (${String(error)}); it is tried again when Python needs it`);
    }
  }

  /** The bytes, unpacked if they are gzip. */
  get(): Uint8Array {
    if (this.unpacked) {
      return this.unpacked;
    }
    if (this.broken) {
      throw this.broken; // it has been reported
    }
    try {
      const raw = this.fetched ?? readSync(this.url);
      let bytes = raw;
      if (raw[0] === 0x1f && raw[1] === 0x8b) {
        try {
          bytes = gunzip(raw);
        } catch (error) {
          this.broken = new Error(`${this.url} is damaged (${errorText(error)}): publish the site again`);
          throw this.broken;
        }
      }
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
