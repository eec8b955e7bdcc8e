import { describe, expect, it, vi } from 'vitest';

import { fill, type FillOptions } from '../../src/offline/fill';
import { parseList, plan } from '../../src/offline/list';
import { OfflineStore } from '../../src/offline/store';
import { MemoryCaches } from './memory_caches';
import { BASE, LIST, listText, NAME, Server } from './site';

const FIRST = { 'lab/index.html': 'page', 'build/a.js': 'same', 'files/b c.txt': 'one' };
const SECOND = { 'lab/index.html': 'new page', 'build/renamed.js': 'same', 'files/b c.txt': 'two' };

function setUp(changes: Partial<FillOptions> = {}) {
  const caches = new MemoryCaches();
  const store = new OfflineStore(BASE, caches as unknown as CacheStorage);
  const server = new Server('v1', FIRST);
  const controller = new AbortController();
  const progress: number[] = [];
  const options: FillOptions = {
    store,
    fetch: server.fetch as typeof fetch,
    idle: async () => undefined,
    room: async () => null,
    isIsolating: false,
    signal: controller.signal,
    onProgress: done => progress.push(done),
    ...changes,
  };
  return { caches, store, server, controller, progress, options, run: () => fill(options) };
}

describe('the list', () => {
  it.each([
    ['<html>a login page</html>'],
    ['{}'],
    ['null'],
    ['{"format": 2, "version": "a", "files": []}'],
    ['{"format": 1, "version": "a", "files": [{"path": "x"}]}'],
  ])('%s is refused', text => expect(parseList(text)).toBeNull());

  it('says what is copied and what is fetched', () => {
    const [older, list] = [parseList(listText('v1', FIRST)), parseList(listText('v2', SECOND))!];
    const { copied, fetched } = plan(list, new Set(['lab/index.html']), older);
    expect(copied.map(({ file, from }) => [file.path, from])).toEqual([['build/renamed.js', 'build/a.js']]);
    expect(fetched.map(({ path }) => path)).toEqual(['files/b c.txt']);
  });
});

describe('an offline copy', () => {
  it('is whole at the end, and fetches each file once, from the browser’s cache if it is there', async () => {
    const { caches, store, server, progress, run } = setUp();
    const { whole, isUpdate } = await run();
    expect([whole?.version, whole?.size, isUpdate]).toEqual(['v1', 11, false]);
    expect(server.asked).toEqual([`${LIST} again`, ...Object.keys(FIRST)]);
    expect(caches.text(`${NAME} v1`, `${BASE}files/b%20c.txt`)).toBe('one');
    expect(progress.at(-1)).toBe(11);
    expect(await store.read()).toEqual({ current: whole, filling: null });
  });

  it('asks only for the list if nothing has changed', async () => {
    const { server, run } = setUp();
    const first = await run();
    server.asked.length = 0;
    expect(await run()).toEqual({ whole: first.whole, isUpdate: false });
    expect(server.asked).toEqual([`${LIST} again`]);
  });

  it('fetches of a new version what the older one does not have, and leaves the older one until it is whole', async () => {
    const { caches, store, server, run } = setUp();
    await run();
    Object.assign(server, { version: 'v2', files: SECOND, wrong: { 'files/b c.txt': 'not yet' } });
    await expect(run()).rejects.toMatchObject({ code: 'changed' });
    expect((await store.read()).current?.version).toBe('v1');
    server.wrong = {};
    server.asked.length = 0;
    expect((await run()).isUpdate).toBe(true);
    expect(server.asked.slice(1)).not.toContain('build/renamed.js');
    expect(caches.text(`${NAME} v2`, `${BASE}build/renamed.js`)).toBe('same');
    expect(caches.all.has(`${NAME} v1`), 'open pages still need it').toBe(true);
  });

  it('asks the server again if the browser’s cache has another file', async () => {
    const { server, run } = setUp();
    server.wrong = { 'build/a.js': 'old' };
    await expect(run()).rejects.toMatchObject({ code: 'changed' });
    expect(server.asked).toContain('build/a.js again');
  });

  it('goes on where it was interrupted', async () => {
    const { server, controller, options, run } = setUp();
    let asked = 0;
    options.idle = async () => {
      if (asked++ === 2) {
        controller.abort();
      }
    };
    await expect(run()).rejects.toThrow();
    const before = server.asked.length;
    expect(before).toBeLessThan(4);
    options.signal = new AbortController().signal;
    await run();
    expect(new Set(server.asked).size, 'none twice').toBe(server.asked.length - 1); // the list is asked for again
  });

  it('fetches a file again that the browser has deleted from a whole copy', async () => {
    const { caches, store, server, run } = setUp();
    const { whole } = await run();
    caches.all.get(`${NAME} v1`)!.delete(`${BASE}build/a.js`);
    server.asked.length = 0;
    expect((await run()).whole).toEqual(whole);
    expect(server.asked).toEqual([`${LIST} again`, 'build/a.js']);
    expect((await store.read()).current).toEqual(whole);
  });

  it('is removed when the site has no list any more, and kept when the server has other trouble', async () => {
    const { caches, server, run } = setUp();
    await run();
    server.isReached = false;
    await expect(run()).rejects.toMatchObject({ code: 'network' });
    expect(caches.all.size).toBe(2);
    Object.assign(server, { isReached: true, version: '' });
    expect(await run()).toEqual({ whole: null, isUpdate: false });
    expect(caches.all.size).toBe(0);
  });

  it('does not begin without room for it twice', async () => {
    const { caches, server, run } = setUp({ room: async () => 21 });
    await expect(run()).rejects.toMatchObject({ code: 'full' });
    expect(server.asked).toEqual([`${LIST} again`]);
    expect([...caches.all.keys()]).toEqual([NAME]);
  });

  it('gives its room back when the disk becomes full', async () => {
    const { caches, store, server, run } = setUp();
    const { whole } = await run();
    Object.assign(server, { version: 'v2', files: { ...SECOND, 'files/long.txt': 'x'.repeat(5000) } });
    caches.room = 2000;
    await expect(run()).rejects.toMatchObject({ code: 'full' });
    expect(caches.all.has(`${NAME} v2`)).toBe(false);
    expect(await store.read()).toEqual({ current: whole, filling: null });
  });

  it('has the headers that the host sends now, and follows when they change', async () => {
    const { caches, server, run } = setUp();
    const { whole } = await run();
    server.headers = { 'Cross-Origin-Opener-Policy': 'same-origin' };
    server.asked.length = 0;
    const again = await run();
    expect(again.whole?.version).not.toBe(whole?.version);
    expect(server.asked, 'all files are copied').toEqual([`${LIST} again`]);
    const page = caches.all.get(`${NAME} ${again.whole?.version}`)!.get(`${BASE}lab/index.html`)!;
    expect(new Headers(page.headers).get('cross-origin-opener-policy')).toBe('same-origin');
    expect(new Headers(page.headers).get('content-type')).toBe('text/plain');
  });

  it('takes no headers of isolation if the service worker adds them', async () => {
    const { server, run } = setUp({ isIsolating: true });
    server.headers = { 'Cross-Origin-Opener-Policy': 'same-origin' };
    expect((await run()).whole?.version).toBe('v1');
  });

  it('says that the browser refuses storage', async () => {
    const { caches, run } = setUp();
    caches.match = vi.fn().mockRejectedValue(new DOMException('no', 'SecurityError'));
    await expect(run()).rejects.toMatchObject({ code: 'refused' });
  });
});
