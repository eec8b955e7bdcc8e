/** Files of packs that are mounted for a time leave nothing behind. */
import { expect, it } from 'vitest';

import { mountForNow } from '../../src/runtime/worker/divided_pack';
import type { EmscriptenFS } from '../../src/runtime/worker/emscripten';
import type { LazyAsset } from '../../src/runtime/worker/lazy_assets';
import type { Pack } from '../../src/runtime/worker/pack';

/** A file system that keeps paths alone. */
function makeFS(...folders: string[]) {
  const paths = new Set(folders);
  const children = (path: string): string[] => [...paths].filter(one => one.replace(/\/[^/]*$/, '') === path);
  const FS = {
    mkdirTree: (path: string) =>
      path.split('/').forEach((_, end, parts) => end && paths.add(parts.slice(0, end + 1).join('/'))),
    lookupPath: (path: string) => ({ node: path }),
    analyzePath: (path: string) => ({ exists: paths.has(path) }),
    readdir: (path: string) => ['.', '..', ...children(path)],
    unlink: (path: string) => paths.delete(path),
    rmdir: (path: string) => {
      expect(children(path)).toEqual([]);
      paths.delete(path);
    },
    filesystems: {
      MEMFS: {
        createNode: (parent: string, name: string) => {
          paths.add(`${parent}/${name}`);
          return {};
        },
      },
    },
  };
  return { FS: FS as unknown as EmscriptenFS, paths };
}

it('removes files and the folders that were new, and nothing else', () => {
  const { FS, paths } = makeFS('/site', '/site/shared');
  const mount = (...files: string[]): (() => void) => {
    const pack = { entries: () => files.map(file => [file, new Uint8Array()]) } as unknown as Pack;
    return mountForNow(FS, pack, {} as LazyAsset, path => `/site/${path}`);
  };
  const unmounts = [mount('a/b/c/one.py', 'a/two.py', 'shared/three.py'), mount('a/b/four.py', 'other/five.py')];
  expect(paths).toContain('/site/a/b/c/one.py');
  unmounts.reverse().forEach(unmount => unmount());
  expect([...paths]).toEqual(['/site', '/site/shared']);
  mount('a/b/c/one.py');
  expect(paths).toContain('/site/a/b/c/one.py');
});
