/**
 * Mounts files that the build has divided into two packs: what Python reads at once, and what it reads seldom, which is fetched when
 * it is read or when nothing else is to do.
 */
import type { EmscriptenFS } from './emscripten';
import { fileMaker, makeLazy, type LazyAsset } from './lazy_assets';
import type { Pack } from './pack';

/** Member of the first pack that lists the files of the second one, with their places in its content. */
const INDEX = '.later.json';

/**
 * @param place - the full path of a member.
 * @param onFile - called with the path of each file before it is created.
 */
export function mountDivided(
  FS: EmscriptenFS,
  pack: Pack,
  later: LazyAsset,
  place: (path: string) => string,
  onFile: (path: string) => void = () => undefined,
): void {
  const make = fileMaker(FS);
  const create = (path: string): ReturnType<typeof make> => {
    onFile(path);
    return make(path);
  };
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

/** The same, until the returned function is called. The packs can be mounted again then. */
export function mountForNow(
  FS: EmscriptenFS,
  pack: Pack,
  later: LazyAsset,
  place: (path: string) => string,
): () => void {
  const files: string[] = [];
  const isNew = new Map<string, boolean>();
  const note = (path: string): void => {
    const folder = path.slice(0, path.lastIndexOf('/'));
    if (folder && !isNew.has(folder)) {
      isNew.set(folder, !FS.analyzePath(folder).exists);
      note(folder);
    }
  };
  mountDivided(FS, pack, later, place, path => {
    note(path);
    files.push(path);
  });
  return () => {
    files.forEach(path => FS.unlink(path));
    const folders = [...isNew.keys()].filter(folder => isNew.get(folder));
    folders.sort((one, other) => other.length - one.length); // the deepest ones first
    for (const folder of folders) {
      if (FS.readdir(folder).length === 2) {
        FS.rmdir(folder); // a folder of several packs is removed with the last of them
      }
    }
  };
}
