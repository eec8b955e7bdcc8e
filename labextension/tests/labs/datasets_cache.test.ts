/** Datasets are verified, kept under their hash, and handed to Python once. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Datasets } from '../../src/labs/datasets';
import type { CheckedLab } from '../../src/labs/gate';

const BYTES = new TextEncoder().encode('a,b\n1,2\n');
const HASH = 'sha256:492d5ea496056bbb7b9b0a7ac9f6bae8a39cfc1ce0e02eb5be42160b7d06c64c';

const text = (bytes: BufferSource): string => new TextDecoder().decode(bytes);

async function hashOf(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', bytes as BufferSource);
  return `sha256:${Buffer.from(digest).toString('hex')}`;
}

function lab(...datasets: { name: string; url: string; hash?: string }[]): CheckedLab {
  return { path: 'course/lab/manifest.json', manifest: { id: 'one', datasets } } as unknown as CheckedLab;
}

/** The browser's cache, by address. */
class Cache {
  readonly entries = new Map<string, Response>();
  match = async (url: string) => this.entries.get(url)?.clone();
  put = async (url: string, response: Response) => void this.entries.set(url, response);
  delete = async (url: string) => this.entries.delete(url);
}

describe('datasets', () => {
  let cache: Cache;
  let hash: string;
  const read = vi.fn(async (_path: string) => BYTES as Uint8Array | null);
  const onEnd = vi.fn();
  const make = () => new Datasets({ read }, 'https://school.example/lite/', { onEnd });

  beforeEach(async () => {
    hash = await hashOf(BYTES);
    cache = new Cache();
    vi.stubGlobal('caches', { open: async () => cache });
    read.mockClear();
    onEnd.mockClear();
  });
  afterEach(() => void vi.unstubAllGlobals());

  it('come from the lab’s folder, and are kept under their hash', async () => {
    const one = lab({ name: 'points', url: 'data/my%20points.csv', hash });
    const found = (await make().load(one)).get('points') as { blob: Blob };
    expect(await found.blob.text()).toBe(text(BYTES));
    expect(read.mock.calls.map(([path]) => path)).toEqual(['course/lab/data/my points.csv']);
    expect([...cache.entries.keys()]).toEqual([
      `https://school.example/lite/browsergrad-datasets/${hash.replace(':', '-')}`,
    ]);
    await make().load(one);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('in the cache are verified again: any page of the site can write there', async () => {
    const key = `https://school.example/lite/browsergrad-datasets/${hash.replace(':', '-')}`;
    cache.entries.set(key, new Response('forged'));
    const found = (await make().load(lab({ name: 'points', url: 'a.csv', hash }))).get('points') as { blob: Blob };
    expect(await found.blob.text()).toBe(text(BYTES));
    expect(await cache.entries.get(key)!.clone().text()).toBe(text(BYTES));
  });

  it('with another hash are not used, and the reason is given', async () => {
    const found = (await make().load(lab({ name: 'points', url: 'a.csv', hash: HASH }))).get('points');
    expect(found).toEqual({ error: `it has ${hash}, the lab's manifest says ${HASH}: it is not used` });
    expect(onEnd).toHaveBeenCalledWith('points', expect.stringMatching(/^Dataset points: it has sha256:/));
    expect(cache.entries.size).toBe(0);
  });

  it('are fetched where the browser refuses storage', async () => {
    vi.stubGlobal('caches', { open: () => Promise.reject(new Error('private window')) });
    expect((await make().load(lab({ name: 'points', url: 'a.csv', hash }))).get('points')).toHaveProperty('blob');
  });

  it('of other sites are asked for without credentials', async () => {
    const asked = vi.fn(async (_url: string, _init: RequestInit) => new Response(BYTES as BodyInit));
    vi.stubGlobal('fetch', asked);
    const url = 'https://data.example/x.csv';
    expect((await make().load(lab({ name: 'x', url }))).get('x')).toHaveProperty('blob');
    expect(asked.mock.calls[0]).toEqual([
      url,
      expect.objectContaining({ credentials: 'omit', referrerPolicy: 'no-referrer' }),
    ]);
    asked.mockResolvedValueOnce(new Response('', { status: 410 }));
    expect((await make().load(lab({ name: 'x', url }))).get('x')).toEqual({
      error: `${url} could not be fetched: the server answered 410`,
    });
    asked.mockRejectedValueOnce(new TypeError('Failed to fetch'));
    expect((await make().load(lab({ name: 'x', url }))).get('x')).toEqual({ error: expect.stringContaining('CORS') });
  });

  it('are handed to a Python once, with its lab; and it forgets that lab', async () => {
    const datasets = make();
    const write = vi.fn(async (_path: string, _data: Uint8Array) => undefined);
    const one = lab({ name: 'points', url: 'data/points.csv' }, { name: 'none', url: 'none.csv' });
    read.mockImplementation(async path => (path.endsWith('none.csv') ? null : BYTES));
    const worker = { write };
    await datasets.hand(worker, one);
    await datasets.hand(worker, one);
    expect(write.mock.calls.map(([path]) => path)).toEqual([
      '/tmp/browsergrad/datasets/1/points.csv',
      '/tmp/browsergrad/lab.json',
    ]);
    expect(JSON.parse(text(write.mock.calls[1][1] as BufferSource))).toEqual({
      manifest: one.manifest,
      folder: '/drive/course/lab',
      datasets: {
        points: { path: '/tmp/browsergrad/datasets/1/points.csv' },
        none: { error: 'there is no file course/lab/none.csv. Restart the kernel to try again.' },
      },
    });
    await datasets.hand(worker, null);
    expect(JSON.parse(text(write.mock.lastCall![1] as BufferSource))).toEqual({ manifest: null });
    read.mockImplementation(async () => BYTES);
  });

  it('are not handed to a Python that has no lab, and never had', async () => {
    const write = vi.fn(async () => undefined);
    await make().hand({ write }, null);
    expect(write).not.toHaveBeenCalled();
  });
});
