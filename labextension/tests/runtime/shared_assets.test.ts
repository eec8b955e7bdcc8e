/** What kernels of a page share: what they start from, and files that they may need later. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { BootAssets } from '../../src/runtime/boot_assets';
import type { Keepable } from '../../src/runtime/kept_contents';

const keepContents = vi.fn(async (_folder: string, _files: Keepable) => true);
vi.mock('../../src/runtime/kept_contents', () => ({
  keepContents: (...files: [string, Keepable]) => keepContents(...files),
}));

const FOLDER = 'https://a.example/kernel/';
const KEEP_MS = 5000;

/** The module anew, as in a new page. */
async function page(): Promise<typeof import('../../src/runtime/shared_assets')> {
  vi.resetModules();
  return import('../../src/runtime/shared_assets');
}

const assetsOf = (memory: ArrayBuffer): BootAssets =>
  ({ manifest: { snapshot: { file: 'snapshot.bin' } }, memory }) as unknown as BootAssets;

describe('boot assets of a page', () => {
  const marks: string[] = [];
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('document', {});
    vi.stubGlobal('performance', { mark: (name: string) => marks.push(name) });
    marks.length = 0;
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    keepContents.mockReset().mockResolvedValue(true);
  });

  /** What a second kernel of the page gets, some seconds after the first one's worker has loaded `memory`. */
  async function later(memory: ArrayBuffer): Promise<BootAssets> {
    const { offerBootAssets, sharedBootAssets } = await page();
    offerBootAssets('index', FOLDER)!(assetsOf(memory));
    await vi.advanceTimersByTimeAsync(KEEP_MS + 1);
    return (await sharedBootAssets('index', FOLDER))!;
  }

  it('leave the page’s memory once they are kept outside of it', async () => {
    const memory = new ArrayBuffer(8);
    expect((await later(memory)).memory).toBeNull();
    expect(memory.byteLength).toBe('transfer' in ArrayBuffer.prototype ? 0 : 8);
    expect(keepContents).toHaveBeenCalledWith(FOLDER, { snapshot: { file: 'snapshot.bin' }, memory, core: undefined });
    expect(marks).toEqual(['browsergrad:kept']);
  });

  it('stay where the browser keeps nothing', async () => {
    const memory = new ArrayBuffer(8);
    keepContents.mockResolvedValue(false);
    expect((await later(memory)).memory).toBe(memory);
    keepContents.mockRejectedValue(new DOMException('full', 'QuotaExceededError'));
    expect((await later(memory)).memory).toBe(memory);
    expect(marks).toEqual(['browsergrad:kept', 'browsergrad:not-kept']);
  });
});

describe('a shared file', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('is fetched once, and again after a failure', async () => {
    const { sharedFile } = await page();
    const fetch = vi.fn(async (_url: string) => new Response(new Uint8Array([1])));
    vi.stubGlobal('fetch', fetch);
    fetch.mockResolvedValueOnce(new Response(null, { status: 404 }));
    await expect(sharedFile('https://a.example/a')).rejects.toThrow('HTTP 404');
    const file = await sharedFile('https://a.example/a');
    expect(file.size).toBe(1);
    expect(await sharedFile('https://a.example/a')).toBe(file);
    expect(fetch).toHaveBeenCalledTimes(2);
  });
});
