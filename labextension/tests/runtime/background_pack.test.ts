/** What completion uses is loaded once, for a completion or for an import, and Python never sees a part of it. */
import { gzipSync } from 'fflate';
import { afterEach, expect, it, vi } from 'vitest';

import { sha256Of } from '../../src/runtime/bytes';
import { crc32 } from '../../src/runtime/crc32';
import type { FromWorker } from '../../src/runtime/protocol';
import { BackgroundPack } from '../../src/runtime/worker/background_pack';
import { FakeFS } from './fake_fs';

const KERNEL = 'https://a.example/kernel/';
const SITE = '/lib/python3.14/site-packages';

/** A file system that can rename folders. */
class Folders extends FakeFS {
  readdir = (folder: string): string[] => {
    const inside = [...this.files.keys()].filter(path => path.startsWith(`${folder}/`));
    return ['.', '..', ...new Set(inside.map(path => path.slice(folder.length + 1).split('/')[0]))];
  };
  rename = (from: string, to: string): void => {
    for (const [path, data] of [...this.files].filter(([each]) => each.startsWith(`${from}/`))) {
      this.files.delete(path);
      this.files.set(to + path.slice(from.length), data);
    }
  };
  rmdir = (): void => undefined;
}

async function make() {
  const header = new TextEncoder().encode(
    JSON.stringify({
      files: [
        ['jedi/__init__.py', 0, 1],
        ['parso/a.py', 1, 1],
      ],
    }),
  );
  const content = new Uint8Array([header.length, 0, 0, 0, ...header, 97, 98]);
  const bytes = gzipSync(content);
  const server = { bytes };
  const fetched = vi.fn(async () => new Response(server.bytes as BodyInit));
  vi.stubGlobal('fetch', fetched);
  const sha256 = await sha256Of(bytes.buffer as ArrayBuffer);
  const entry = { file: 'jedi.pack.gz', sha256, size: bytes.length, crc32: crc32(content), modules: ['jedi', 'parso'] };
  const fs = new Folders();
  const posted: FromWorker[] = [];
  const pack = new BackgroundPack(fs.typed, KERNEL, entry, SITE, message => void posted.push(message));
  return { fetched, fs, pack, posted, server };
}

afterEach(() => void vi.unstubAllGlobals());

it('is fetched once, and then is no longer offered', async () => {
  const { fetched, fs, pack } = await make();
  expect(['jedi', 'parso', 'numpy'].map(name => pack.offers(name))).toEqual([true, true, false]);
  await Promise.all([pack.load(), pack.load()]);
  await pack.load();
  expect(fetched).toHaveBeenCalledTimes(1);
  expect([...fs.files.keys()]).toEqual([`${SITE}/jedi/__init__.py`, `${SITE}/parso/a.py`]);
  expect([pack.isThere, pack.offers('jedi')]).toEqual([true, false]);
});

it('may be tried again after it was damaged', async () => {
  const { pack, posted, server } = await make();
  const { bytes } = server;
  server.bytes = bytes.slice(0, -9) as typeof bytes;
  await expect(pack.load()).rejects.toThrow(/jedi\.pack\.gz is damaged/);
  expect(posted).toEqual([expect.objectContaining({ type: 'log', level: 'warning' })]);
  expect(pack.offers('parso')).toBe(true);
  server.bytes = bytes;
  await pack.load();
  expect(pack.isThere).toBe(true);
});
