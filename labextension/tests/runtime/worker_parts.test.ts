/** Small parts of the worker: packs, deferred files, loads that end, Python's own HTTP requests, the sealed scope. */
import { gzipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { crc32 } from '../../src/runtime/crc32';
import type { FromWorker } from '../../src/runtime/protocol';
import { AbortableLoads, INTERRUPTED } from '../../src/runtime/worker/abortable_loads';
import { DeferredAssets } from '../../src/runtime/worker/deferred_assets';
import { HttpRequests } from '../../src/runtime/worker/http_requests';
import { LazyAsset, makeLazy } from '../../src/runtime/worker/lazy_assets';
import { Pack } from '../../src/runtime/worker/pack';
import { sealScope } from '../../src/runtime/worker/seal';
import { FakeFS } from './fake_fs';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('a pack', () => {
  function pack(files: Record<string, string>): Pack {
    let data = '';
    const entries = Object.entries(files).map(([path, text]) => {
      data += text;
      return [path, data.length - text.length, text.length];
    });
    const header = bytes(JSON.stringify({ files: entries }));
    const whole = new Uint8Array(4 + header.length + data.length);
    new DataView(whole.buffer).setUint32(0, header.length, true);
    whole.set(header, 4);
    whole.set(bytes(data), 4 + header.length);
    return new Pack(whole);
  }
  const files = { 'a/x.py': 'one', 'a/y.py': '', 'b/z.py': 'three', 'micropip/m.py': 'old' };

  it('is unpacked below a folder, but for what is left out', () => {
    const fs = new FakeFS();
    pack(files).unpack(fs.typed, '/lib', ['micropip/']);
    expect([...fs.files].map(([path, data]) => [path, new TextDecoder().decode(data)])).toEqual([
      ['/lib/a/x.py', 'one'],
      ['/lib/a/y.py', ''],
      ['/lib/b/z.py', 'three'],
    ]);
    expect([...fs.folders]).toEqual(['/lib/a', '/lib/b']);
  });

  it('is unpacked in turns to the same', async () => {
    const [at_once, in_turns] = [new FakeFS(), new FakeFS()];
    pack(files).unpack(at_once.typed, '/lib');
    await pack(files).unpackInTurns(in_turns.typed, '/lib');
    expect(in_turns.files).toEqual(at_once.files);
  });
});

describe('a file that is read when it is needed', () => {
  const url = 'https://a.example/stdlib.zip';

  it('is unpacked and checked once, then kept', () => {
    const onError = vi.fn();
    const asset = new LazyAsset(url, crc32(bytes('text')), onError);
    asset.take(gzipSync(bytes('text')));
    expect(asset.get()).toEqual(bytes('text'));
    expect(asset.get()).toBe(asset.get());
    expect(onError).not.toHaveBeenCalled();
  });

  it('that is damaged is reported once', () => {
    const onError = vi.fn();
    const asset = new LazyAsset(url, 1, onError);
    asset.take(bytes('text'));
    expect(() => asset.get()).toThrow(`${url} is damaged or of another version (its checksum differs)`);
    expect(() => asset.get()).toThrow(`${url} is damaged`);
    expect(onError).toHaveBeenCalledTimes(1);
  });

  it('that never came is missing where nothing can be fetched now', () => {
    const asset = new LazyAsset(url, 1, () => undefined);
    expect(() => asset.get()).toThrow(`${url} is missing`);
  });

  it('gives a node its contents at the first use, or an error of the file system', () => {
    const fs = new FakeFS();
    const node = fs.createNode(null, 'a', 0o100644) as unknown as { contents: Uint8Array; usedBytes: number };
    const read = vi.fn(() => bytes('abc'));
    makeLazy(fs.typed, node as never, 3, read);
    expect([node.usedBytes, read.mock.calls.length]).toEqual([3, 0]);
    expect([node.contents, node.contents]).toEqual([bytes('abc'), bytes('abc')]);
    expect(read).toHaveBeenCalledTimes(1);
    node.contents = bytes('z');
    expect(node.contents).toEqual(bytes('z'));
    const broken = fs.createNode(null, 'b', 0o100644) as unknown as { contents: Uint8Array };
    makeLazy(fs.typed, broken as never, 3, () => {
      throw new Error('gone');
    });
    expect(() => broken.contents).toThrow('errno 29');
  });
});

describe('deferred files', () => {
  it('are asked for once, some time after the first cell', () => {
    vi.useFakeTimers();
    const posted: FromWorker[] = [];
    const assets = ['a', 'b'].map(name => new LazyAsset(`https://a.example/${name}`, 0, () => undefined));
    const deferred = new DeferredAssets(assets, message => void posted.push(message));
    deferred.askSoon();
    expect(posted).toEqual([]);
    deferred.askSoon();
    vi.advanceTimersByTime(10_000);
    deferred.askSoon();
    vi.advanceTimersByTime(10_000);
    expect(posted).toEqual(assets.map(({ url }) => ({ type: 'fetch', url })));
  });

  it('give way to cells that follow each other, for ten seconds at most', () => {
    vi.useFakeTimers();
    const posted: FromWorker[] = [];
    const asset = new LazyAsset('https://a.example/a', 0, () => undefined);
    const deferred = new DeferredAssets([asset], message => void posted.push(message));
    const cells = [];
    for (; !posted.length; cells.push(1)) {
      deferred.giveWay();
      vi.advanceTimersByTime(1000);
      deferred.askSoon();
      vi.advanceTimersByTime(1000);
    }
    expect(cells).toHaveLength(6);
  });

  it('go to the one that wants them', () => {
    const asset = new LazyAsset('https://a.example/a', crc32(bytes('x')), () => undefined);
    const deferred = new DeferredAssets([asset], () => undefined);
    deferred.take('https://a.example/other', bytes('y'));
    deferred.take('https://a.example/a', bytes('x'));
    expect(asset.get()).toEqual(bytes('x'));
  });

  it('say when the last one has come', () => {
    const assets = ['a', 'b'].map(name => new LazyAsset(`https://a.example/${name}`, 0, () => undefined));
    const deferred = new DeferredAssets(assets, () => undefined);
    const last = ['b', 'other', 'a'].map(name => deferred.take(`https://a.example/${name}`, bytes('x')));
    expect(last).toEqual([false, false, true]);
  });
});

describe('loads of packages', () => {
  let signals: (AbortSignal | undefined)[];
  let epoch: number;

  beforeEach(() => {
    signals = [];
    epoch = 1;
    vi.stubGlobal('fetch', async (_input: unknown, init?: RequestInit) => {
      signals.push(init?.signal ?? undefined);
      return new Response('');
    });
  });

  it('end with the request that began them, and no other', async () => {
    const loads = new AbortableLoads(() => epoch);
    let finish!: () => void;
    const load = loads.wrap(async () => {
      await fetch('https://a.example/numpy.whl');
      await fetch('https://a.example/data.csv');
      await new Promise<void>(resolve => (finish = resolve));
    });
    const running = load();
    await vi.waitFor(() => expect(finish).toBeDefined());
    loads.abort(2);
    expect(signals[0]!.aborted).toBe(false);
    loads.abort(1);
    expect([signals[0]!.aborted, (signals[0]!.reason as Error).message]).toEqual([true, INTERRUPTED]);
    expect(signals[1]).toBeUndefined();
    finish();
    await running;
    await fetch('https://a.example/later.whl');
    expect(signals[2]).toBeUndefined();
  });

  it('leave alone what tasks of other cells fetch meanwhile, and keep a signal of its own', async () => {
    const loads = new AbortableLoads(() => epoch);
    const own = new AbortController();
    await loads.wrap(async () => {
      epoch = 2;
      await fetch('https://a.example/a.whl');
      epoch = 1;
      await fetch('https://a.example/b.whl', { signal: own.signal });
    })();
    expect(signals[0]).toBeUndefined();
    own.abort();
    expect(signals[1]!.aborted).toBe(true);
  });
});

describe('HTTP requests of Python', () => {
  const wanted = { method: 'POST', url: 'https://a.example/x', headers: [['X-A', '1']], timeoutMs: null };
  const head = (answer: { head: string }) => JSON.parse(answer.head) as Record<string, unknown>;

  it('return head and body', async () => {
    const asked = vi.fn(
      async (_url: string, _init: RequestInit) => new Response('body', { status: 201, headers: { b: '2' } }),
    );
    vi.stubGlobal('fetch', asked);
    const answer = await new HttpRequests().ask(JSON.stringify(wanted), bytes('sent'));
    expect(head(answer)).toMatchObject({ status: 201, headers: expect.arrayContaining([['b', '2']]) });
    expect(answer.body).toEqual(bytes('body'));
    expect(asked.mock.calls[0][0]).toBe(wanted.url);
    expect(asked.mock.calls[0][1]).toMatchObject({ method: 'POST', headers: [['X-A', '1']], body: bytes('sent') });
  });

  it.each([
    ['https://b.example/x', new TypeError('Failed to fetch'), 'foreign'],
    ['https://a.example/x', new TypeError('Failed to fetch'), 'unreachable'],
    ['http://b.example/x', new TypeError('Failed to fetch'), 'mixed'],
    ['http://localhost:8000/x', new TypeError('Failed to fetch'), 'foreign'],
    ['https://b.example/x', new DOMException('late', 'TimeoutError'), 'timeout'],
    ['no address', new TypeError('bad'), 'unreachable'],
  ])('to %s that fail say what can be known: %s', async (url, error, why) => {
    vi.stubGlobal('navigator', { onLine: true });
    vi.stubGlobal('location', { origin: 'https://a.example', protocol: 'https:' });
    vi.stubGlobal('fetch', () => Promise.reject(error));
    const answer = await new HttpRequests().ask(JSON.stringify({ ...wanted, url }), null);
    expect(head(answer)).toMatchObject({ failed: why, origin: 'https://a.example' });
    expect(answer.body).toHaveLength(0);
  });

  it('can be given up', async () => {
    vi.stubGlobal('fetch', (_url: string, { signal }: RequestInit) => {
      return new Promise((_, reject) => signal!.addEventListener('abort', () => reject(new Error('given up'))));
    });
    const requests = new HttpRequests();
    const asked = requests.ask(JSON.stringify({ ...wanted, timeoutMs: 60_000 }), null);
    requests.abort();
    expect(head(await asked)).toMatchObject({ message: 'given up' });
  });
});

describe('a sealed scope', () => {
  beforeEach(() => void vi.stubGlobal('navigator', Object.create({})));

  it('loses what a browser’s worker does not have, also what it inherits', () => {
    const parent = { Deno: 1, close: 2 };
    const scope = Object.assign(Object.create(parent) as object, { Worker: 3, Deno: 4, fetch: 5 });
    sealScope(scope);
    expect(['Deno', 'close', 'Worker'].filter(name => name in scope)).toEqual([]);
    expect('fetch' in scope).toBe(true);
  });

  it('that cannot lose a name is an error', () => {
    const scope = Object.defineProperty({}, 'Deno', { value: 1, configurable: false });
    expect(() => sealScope(scope)).toThrow("Deno can't be taken out of the worker");
  });
});
