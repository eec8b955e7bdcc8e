/** A lab's files, byte for byte. A missing file is distinguished from all other failures. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import { ServerConnection, type Contents } from '@jupyterlab/services';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { ContentsFiles, readAll } from '../../src/labs/files';

const text = (bytes: Uint8Array | null): string | null => bytes && new TextDecoder().decode(bytes);
const signal = new AbortController().signal;
const shell = { widgets: () => [] } as unknown as JupyterFrontEnd.IShell;

function contents(overrides: object): Contents.IManager {
  return {
    driveName: (path: string) => (path.includes(':') ? path.split(':')[0] : ''),
    ...overrides,
  } as Contents.IManager;
}

afterEach(() => void vi.unstubAllGlobals());

describe('files on a server', () => {
  const get = vi.fn();
  const files = new ContentsFiles(contents({ get }), shell, false);

  it('are read as base64', async () => {
    get.mockResolvedValueOnce({ content: Buffer.from('é').toString('base64') });
    expect(text(await files.read('a', signal))).toBe('é');
    expect(get).toHaveBeenCalledWith('a', { type: 'file', format: 'base64', content: true });
  });

  it('that are not there are null; any other failure is one', async () => {
    const missing = Object.create(ServerConnection.ResponseError.prototype) as object;
    get.mockRejectedValueOnce(Object.defineProperty(missing, 'response', { value: { status: 404 } }));
    expect(await files.read('a', signal)).toBeNull();
    get.mockRejectedValueOnce(new Error('offline'));
    await expect(files.read('a', signal)).rejects.toThrow('offline');
  });
});

describe('files of a site', () => {
  const answers = new Map<string, () => Response>();
  const BASE = 'https://school.example/lite/';

  beforeEach(() => {
    answers.clear();
    PageConfig.setOption('contentsAllJsonFile', 'all.json');
    vi.spyOn(PageConfig, 'getBaseUrl').mockReturnValue(BASE);
    vi.stubGlobal('fetch', async (url: string) => {
      const answer = answers.get(url.replace(BASE, ''));
      if (url.startsWith('blob:')) {
        return new Response('stored');
      }
      return answer ? answer() : new Response('', { status: 404 });
    });
  });
  afterEach(() => void vi.restoreAllMocks());

  const index = (...names: string[]) => {
    answers.set('api/contents/a%20b/all.json', () =>
      Response.json({ content: names.map(name => ({ name, type: name.endsWith('/') ? 'directory' : 'file' })) }),
    );
  };
  const make = (url = 'https://x.example/') =>
    new ContentsFiles(contents({ getDownloadUrl: async () => url }), shell, true);

  it('are what the student has changed, where there is such', async () => {
    const revoke = vi.spyOn(URL, 'revokeObjectURL').mockReturnValue();
    expect(text(await make('blob:x').read('a b/f.txt', signal))).toBe('stored');
    expect(revoke).toHaveBeenCalledWith('blob:x');
  });

  it('are else those that were published', async () => {
    index('f.txt');
    answers.set('files/a%20b/f.txt', () => new Response('published'));
    expect(text(await make().read('a b/f.txt', signal))).toBe('published');
  });

  it('that the index does not name are not there', async () => {
    expect(await make().read('a b/f.txt', signal)).toBeNull();
    index('other.txt');
    expect(await make().read('a b/f.txt', signal)).toBeNull();
  });

  it('that cannot be read for certain are an error', async () => {
    index('f.txt');
    await expect(make().read('a b/f.txt', signal)).rejects.toThrow('the site lists a b/f.txt but does not have it');
    answers.set('api/contents/a%20b/all.json', () => new Response('', { status: 503 }));
    await expect(make().read('a b/f.txt', signal)).rejects.toThrow('the server answered 503');
    vi.stubGlobal('fetch', () => Promise.reject(new Error('offline')));
    await expect(make().read('a b/f.txt', signal)).rejects.toThrow('could not be read: offline');
  });

  it('have metadata, if they are notebooks that have any', async () => {
    index('n.ipynb');
    answers.set('files/a%20b/n.ipynb', () => Response.json({ metadata: { browsergrad: { manifest: 'm.json' } } }));
    expect(await make().metadata('a b/n.ipynb', signal)).toEqual({ manifest: 'm.json' });
    answers.set('files/a%20b/n.ipynb', () => new Response(''));
    expect(await make().metadata('a b/n.ipynb', signal)).toBeUndefined();
  });
});

describe('a download', () => {
  it('tells how much has come, and of how much where that is known', async () => {
    const progress = vi.fn();
    const known = new Response('12345', { headers: { 'Content-Length': '5' } });
    expect(text(await readAll(known, progress))).toBe('12345');
    expect(progress).toHaveBeenLastCalledWith(5, 5);
    const packed = new Response('12345', { headers: { 'Content-Length': '3', 'Content-Encoding': 'gzip' } });
    await readAll(packed, progress);
    expect(progress).toHaveBeenLastCalledWith(5, null);
  });
});
