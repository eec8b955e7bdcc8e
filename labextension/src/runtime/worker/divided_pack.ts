/**
 * Mounts files that the build has divided into two packs: what Python reads at once, and what it reads seldom, which is fetched when
 * it is read or when nothing else is to do.
 */
import type { EmscriptenFS } from './emscripten';
import { fileMaker, makeLazy, type LazyAsset } from './lazy_assets';
import type { Pack } from './pack';

/** Member of the first pack that lists the files of the second one, with their places in its content. */
const INDEX = '.later.json';

/** @param place - the full path of a member. */
export function mountDivided(FS: EmscriptenFS, pack: Pack, later: LazyAsset, place: (path: string) => string): void {
  const create = fileMaker(FS);
  for (const [path, bytes] of pack.entries()) {
    if (path === INDEX) {
      const files = JSON.parse(new TextDecoder().decode(bytes)) as [path: string, offset: number, length: number][];
      for (const [name, offset, length] of files) {
        makeLazy(FS, create(place(name)), length, () => later.slice(offset, length));
      }
    } else {
      Object.assign(create(place(path)), { contents: bytes, usedBytes: bytes.length });
    }
  }
}
