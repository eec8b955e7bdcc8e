/**
 * Reads the packs of Python files made at build time: gzip of a uint32 header length, a JSON header
 * `{"files": [[path, offset, length], …]}` and the bytes.
 */
import { fetchAsset } from '../assets';
import type { EmscriptenFS } from './emscripten';

type Entry = [path: string, offset: number, length: number];

async function fetchPack(url: string): Promise<Uint8Array> {
  const raw = new Uint8Array(await (await fetchAsset(url)).arrayBuffer());
  if (raw[0] !== 0x1f || raw[1] !== 0x8b) {
    return raw; // the server has sent it with Content-Encoding, and the browser has unpacked it
  }
  try {
    const stream = new Blob([raw]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  } catch (error) {
    throw new Error(`${url} is damaged (${String(error)}): publish the site again`);
  }
}

export class Pack {
  private constructor(
    private readonly files: Entry[],
    private readonly data: Uint8Array,
  ) {}

  static async fetch(url: string): Promise<Pack> {
    const bytes = await fetchPack(url);
    try {
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
      const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length))) as {
        files: Entry[];
      };
      return new Pack(header.files, bytes.subarray(4 + length));
    } catch (error) {
      throw new Error(`${url} is no pack of Python files (${String(error)}): publish the site again`);
    }
  }

  /** Writes the files below `folder`, but for those whose path begins with one of `without`. */
  unpack(FS: EmscriptenFS, folder: string, without: string[] = []): void {
    let made = '';
    for (const [path, offset, length] of this.files) {
      if (without.some(prefix => path.startsWith(prefix))) {
        continue;
      }
      const full = `${folder}/${path}`;
      const parent = full.slice(0, full.lastIndexOf('/'));
      if (parent !== made) {
        FS.mkdirTree(parent);
        made = parent;
      }
      FS.writeFile(full, this.data.subarray(offset, offset + length), { canOwn: true });
    }
  }
}
