/**
 * Reads packs of Python files, which are made at build time. A pack is a gzip file of a uint32 (the header's length), a JSON header
 * `{"files": [[path, offset, length], …]}`, and the files' bytes.
 */
import { readPacked, type PackedFile } from '../packed';
import type { EmscriptenFS } from './emscripten';

/** Ms of unpacking between two turns of the event loop. */
const TURN_MS = 20;

type Entry = [path: string, offset: number, length: number];

export class Pack {
  private readonly files: Entry[];
  private readonly data: Uint8Array;

  /** @param bytes - the pack, unpacked. */
  constructor(bytes: Uint8Array) {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as { files: Entry[] };
    this.files = header.files;
    this.data = bytes.subarray(4 + length);
  }

  static async fetch(folderURL: string, entry: PackedFile): Promise<Pack> {
    return new Pack(new Uint8Array(await readPacked(folderURL, entry)));
  }

  /** The files by their paths. */
  *entries(): Iterable<[path: string, bytes: Uint8Array]> {
    for (const [path, offset, length] of this.files) {
      yield [path, this.data.subarray(offset, offset + length)];
    }
  }

  /** Writes the files to `folder`, except those whose path begins with one of `without`. */
  unpack(FS: EmscriptenFS, folder: string, without: string[] = []): void {
    for (const _ of this.writing(FS, folder, without)) {
      // write all of them
    }
  }

  /** The same, but lets the event loop turn every few ms. */
  async unpackInTurns(FS: EmscriptenFS, folder: string): Promise<void> {
    let end = performance.now() + TURN_MS;
    for (const _ of this.writing(FS, folder, [])) {
      if (performance.now() >= end) {
        await new Promise(resolve => setTimeout(resolve));
        end = performance.now() + TURN_MS;
      }
    }
  }

  private *writing(FS: EmscriptenFS, folder: string, without: string[]): Iterable<void> {
    let made = '';
    for (const [path, bytes] of this.entries()) {
      if (without.some(prefix => path.startsWith(prefix))) {
        continue;
      }
      const full = `${folder}/${path}`;
      const parent = full.slice(0, full.lastIndexOf('/'));
      if (parent !== made) {
        FS.mkdirTree(parent);
        made = parent;
      }
      FS.writeFile(full, bytes, { canOwn: true });
      yield;
    }
  }
}
