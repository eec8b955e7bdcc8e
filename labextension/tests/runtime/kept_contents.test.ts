import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { keepContents, KeptContents } from '../../src/runtime/kept_contents';
import type { PackedFile } from '../../src/runtime/packed';

const FOLDER = 'https://a.example/kernel/';
const MEMORY = new Uint8Array(100_000).fill(7);
/** An empty WebAssembly module. */
const MODULE = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

const entry = (file: string, contents: Uint8Array): PackedFile => ({
  file,
  sha256: '',
  size: 0,
  crc32: 0,
  contents_sha256: createHash('sha256').update(contents).digest('hex'),
});
const MODULES = new TextEncoder().encode('{"pyodide.mjs": ""}');
const SNAPSHOT = entry('snapshot.0123.gz', MEMORY);
const WASM = entry('wasm.0123.gz', MODULE);
const SCRIPTS = entry('scripts.0123.gz', MODULES);
const CORE = { wasm: WASM, scripts: SCRIPTS };

/** A Cache storage with one cache. */
class FakeCaches {
  readonly files = new Map<string, ArrayBuffer>();
  isOpen = false;

  has = async (): Promise<boolean> => this.isOpen;
  match = async (url: string): Promise<Response | undefined> => {
    const found = this.files.get(url);
    return found && new Response(found);
  };
  open = async (): Promise<unknown> => {
    this.isOpen = true;
    return {
      keys: async () => Array.from(this.files.keys(), url => ({ url })),
      delete: async (url: string) => this.files.delete(url),
      put: async (url: string, answer: Response) => this.put(url, answer),
    };
  };

  async put(url: string, answer: Response): Promise<void> {
    this.files.set(url, await answer.arrayBuffer());
  }
}

let caches: FakeCaches;
const fetched: [string, RequestInit | undefined][] = [];
let answer: (url: string) => Response;
let room: { quota: number; usage: number };

beforeEach(() => {
  caches = new FakeCaches();
  room = { quota: 1e9, usage: 0 };
  answer = url => new Response(gzipSync(url.endsWith(SCRIPTS.file) ? MODULES : MODULE));
  fetched.length = 0;
  vi.stubGlobal('caches', caches);
  vi.stubGlobal('navigator', { storage: { estimate: async () => room } });
  vi.stubGlobal('fetch', async (url: string, init?: RequestInit) => {
    fetched.push([url, init]);
    return answer(url);
  });
});
afterEach(() => vi.unstubAllGlobals());

const keep = (): Promise<boolean> =>
  keepContents(FOLDER, { snapshot: SNAPSHOT, memory: MEMORY.slice().buffer, core: CORE });

describe('unpacked contents', () => {
  it('are kept, and asked for at no host', async () => {
    expect(await keep()).toBe(true);
    const cachedOnly = { cache: 'only-if-cached', mode: 'same-origin' };
    expect(fetched).toEqual([WASM, SCRIPTS].map(({ file }) => [`${FOLDER}${file}`, cachedOnly]));
    const kept = new KeptContents(FOLDER);
    expect(new Uint8Array((await kept.read(SNAPSHOT))!)).toEqual(MEMORY);
    expect(await kept.compile(WASM)).toBeInstanceOf(WebAssembly.Module);
    expect(new Uint8Array((await kept.read(SCRIPTS))!)).toEqual(MODULES);
    await keep();
    expect(fetched).toHaveLength(2); // there is nothing to do
  });

  it('come from the smaller form if the page has read that one', async () => {
    const smaller = { file: 'wasm.4567.gz', sha256: '', size: 0 };
    vi.stubGlobal('fetch', async (url: string) => {
      if (url.endsWith(WASM.file)) {
        throw new TypeError('not in the cache');
      }
      return answer(url);
    });
    const core = { ...CORE, wasm: { ...WASM, smaller } };
    await keepContents(FOLDER, { snapshot: SNAPSHOT, memory: MEMORY.slice().buffer, core });
    expect(await new KeptContents(FOLDER).compile(WASM)).toBeInstanceOf(WebAssembly.Module);
  });

  it('take the place of other versions in the same folder', async () => {
    const others = [`${FOLDER}snapshot.old.bin?unpacked`, 'https://a.example/other/snapshot.old.bin?unpacked'];
    for (const url of others) {
      await caches.put(url, new Response('old'));
    }
    await keep();
    expect([...caches.files.keys()]).toEqual([
      others[1],
      ...[SNAPSHOT, WASM, SCRIPTS].map(({ file }) => `${FOLDER}${file}?unpacked`),
    ]);
  });

  it('are the memory alone if the browser has the WebAssembly no more', async () => {
    answer = () => new Response(null, { status: 504 });
    await keep();
    expect([...caches.files.keys()]).toEqual([`${FOLDER}${SNAPSHOT.file}?unpacked`]);
    expect(await new KeptContents(FOLDER).compile(WASM)).toBeNull();
  });

  it('are not kept where students need the room', async () => {
    room = { quota: 1e9, usage: 1e9 - 1_000_000 };
    await keep();
    expect(caches.isOpen).toBe(false);
  });

  it.each([
    ['other bytes', (bytes: Uint8Array) => bytes.fill(1)],
    ['half of them', (bytes: Uint8Array) => bytes.subarray(0, bytes.length / 2)],
    ['none', () => new Uint8Array()],
  ])('are forgotten if there are %s', async (_name, change) => {
    await keep();
    for (const [url, bytes] of caches.files) {
      await caches.put(url, new Response(change(new Uint8Array(bytes))));
    }
    const kept = new KeptContents(FOLDER);
    expect(await kept.read(SNAPSHOT)).toBeNull();
    expect(await kept.compile(WASM)).toBeNull();
    expect(await kept.read(SCRIPTS)).toBeNull();
    expect(caches.files.size).toBe(0);
  });

  it('are null without a hash, and before anything is kept', async () => {
    expect(await new KeptContents(FOLDER).read(SNAPSHOT)).toBeNull();
    await keep();
    expect(await new KeptContents(FOLDER).read({ ...SNAPSHOT, contents_sha256: undefined })).toBeNull();
  });

  it('are null where the browser refuses storage', async () => {
    const refuse = async (): Promise<never> => Promise.reject(new DOMException('no', 'SecurityError'));
    await keep();
    vi.stubGlobal('caches', { has: refuse, open: refuse, match: refuse });
    expect(await new KeptContents(FOLDER).read(SNAPSHOT)).toBeNull();
    await expect(keep()).rejects.toThrow('no');
    vi.stubGlobal('caches', { has: async () => true, open: refuse, match: refuse });
    expect(await new KeptContents(FOLDER).read(SNAPSHOT)).toBeNull();
    vi.stubGlobal('caches', undefined);
    expect(await new KeptContents(FOLDER).read(SNAPSHOT)).toBeNull();
    await keep();
  });

  it('are not kept in part when the disk is full', async () => {
    vi.spyOn(caches, 'put').mockRejectedValue(new DOMException('full', 'QuotaExceededError'));
    await expect(keep()).rejects.toThrow('full');
    expect(await new KeptContents(FOLDER).read(SNAPSHOT)).toBeNull();
  });
});
