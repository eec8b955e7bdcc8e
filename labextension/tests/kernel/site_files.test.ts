/** Addresses of the files from which Python starts, and what the page fetches of them at once. */
import { PageConfig } from '@jupyterlab/coreutils';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const STATIC = 'https://lab.example/course/extensions/jupyterlite-browsergrad/static/';
const VERSIONS = { runtime: 'aaaa', worker: 'bbbb', manifest: 'cccc', lock: 'dddd' };

/** The module anew, as in a new page. */
async function page(): Promise<typeof import('../../src/kernel/site_files')> {
  vi.resetModules();
  return import('../../src/kernel/site_files');
}

describe('SiteFiles', () => {
  const fetch = vi.fn(async (_url: string, _init?: RequestInit) => new Response('{}'));
  const asked = (): string[] => fetch.mock.calls.map(([url]) => url.replace(STATIC, ''));

  beforeEach(() => {
    PageConfig.setOption('baseUrl', 'https://lab.example/course/');
    vi.stubGlobal('fetch', fetch);
    vi.stubGlobal('navigator', {});
    vi.stubGlobal('location', { origin: 'https://lab.example' });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    fetch.mockClear();
  });

  it('puts versions that are known into addresses', async () => {
    const { SiteFiles } = await page();
    expect(new SiteFiles({}, STATIC)).toMatchObject({
      index: `${STATIC}pyodide/`,
      kernel: `${STATIC}kernel/`,
      hints: { manifest: undefined, lock: undefined, isSlow: false },
      workerURL: `${STATIC}runtime/worker.js`,
    });
    const settings = { pyodideIndexURL: './static/own/', kernelURL: './static/kernel/', fileVersions: VERSIONS };
    expect(new SiteFiles(settings, STATIC)).toMatchObject({
      index: 'https://lab.example/course/static/own/',
      kernel: 'https://lab.example/course/static/kernel/',
      hints: { manifest: 'cccc', lock: 'dddd', isSlow: false },
      workerURL: `${STATIC}runtime/worker.js?v=bbbb`,
    });
  });

  it('fetches once, at the same time, what has a version', async () => {
    const { SiteFiles } = await page();
    const files = new SiteFiles({ fileVersions: VERSIONS }, STATIC);
    files.beginFirst();
    expect(asked()).toEqual([
      'runtime/worker.js?v=bbbb',
      'kernel/manifest.json?v=cccc',
      'pyodide/pyodide-lock.json?v=dddd',
    ]);
    expect(fetch.mock.calls.every(([, init]) => init?.cache === 'force-cache')).toBe(true);
    new SiteFiles({ fileVersions: VERSIONS }, STATIC).beginFirst();
    expect(asked()).toHaveLength(3);
  });

  it('fetches nothing ahead whose version is not known', async () => {
    const { SiteFiles } = await page();
    new SiteFiles({}, STATIC).beginFirst();
    new SiteFiles({ fileVersions: { runtime: 'aaaa', lock: 'dddd' } }, STATIC).beginFirst();
    expect(asked()).toEqual(['pyodide/pyodide-lock.json?v=dddd']);
  });

  it('leaves failures to the worker, which reports them', async () => {
    const { SiteFiles } = await page();
    fetch.mockRejectedValueOnce(new TypeError('no network')).mockResolvedValueOnce(new Response('', { status: 404 }));
    new SiteFiles({ fileVersions: VERSIONS }, STATIC).beginFirst();
    await vi.waitFor(() => expect(fetch).toHaveBeenCalledTimes(3));
  });
});
