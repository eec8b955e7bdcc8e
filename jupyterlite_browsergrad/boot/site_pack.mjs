// Reads a pack of the kernel's Python files.
import fs from 'node:fs';
import { gunzipSync } from 'node:zlib';

export function readPack(path) {
  const pack = gunzipSync(fs.readFileSync(path));
  const headerLength = pack.readUInt32LE(0);
  const { files } = JSON.parse(pack.subarray(4, 4 + headerLength).toString());
  const contentsAt = 4 + headerLength;
  return {
    /** Path, offset and length of each file. Offsets count from `contentsAt`. */
    files,
    contentsAt,
    /** Writes the files into a folder of Emscripten's file system. */
    unpack(FS, folder) {
      for (const [path, offset, length] of files) {
        const full = `${folder}/${path}`;
        FS.mkdirTree(full.slice(0, full.lastIndexOf('/')));
        const start = contentsAt + offset;
        FS.writeFile(full, new Uint8Array(pack.subarray(start, start + length)), { canOwn: true });
      }
    },
  };
}
