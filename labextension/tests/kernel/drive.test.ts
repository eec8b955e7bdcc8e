/** Files between Python and the page, on JupyterLite's own drive and on one that fails. */
import { PageConfig } from '@jupyterlab/coreutils';
import { ContentsManager, ServerConnection, type Contents } from '@jupyterlab/services';
import { BrowserStorageDrive } from '@jupyterlite/services/lib/contents/drive';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Drive } from '../../src/kernel/drive';

const FOLDER_MODE = 0o40777;

/** The functions of localforage, in memory. */
class MemoryStore {
  private readonly items = new Map<string, unknown>();
  /** How often the store was read. */
  reads = 0;
  getItem = async (key: string): Promise<unknown> => {
    this.reads++;
    return structuredClone(this.items.get(key) ?? null);
  };
  setItem = async (key: string, value: unknown): Promise<void> => void this.items.set(key, structuredClone(value));
  removeItem = async (key: string): Promise<void> => void this.items.delete(key);
  keys = async (): Promise<string[]> => [...this.items.keys()];
  iterate = async (each: (value: unknown, key: string) => void): Promise<void> =>
    this.items.forEach((value, key) => each(structuredClone(value), key));
}

/** Files of the published site. */
const SITE: Record<string, Uint8Array> = {
  'latin.txt': new Uint8Array([0x63, 0xe9, 0xff]),
  'numbers.json': new TextEncoder().encode('{"a": 1.0, "b": 12345678901234567890}\n'),
  'lines.jsonl': new TextEncoder().encode('{"a": 1}\n{"a": 2}\n'),
};

function site(input: RequestInfo | URL): Response {
  const url = String(input instanceof Request ? input.url : input);
  if (url.includes('api/contents/all.json')) {
    const content = Object.entries(SITE).map(([name, data]) => ({
      name,
      path: name,
      type: 'file',
      format: null,
      mimetype: null,
      content: null,
      writable: true,
      size: data.length,
      created: '2026-01-01T00:00:00Z',
      last_modified: '2026-01-02T00:00:00Z',
    }));
    return Response.json({ type: 'directory', content });
  }
  const name = url.split('/files/')[1];
  return name in SITE ? new Response(SITE[name] as BodyInit) : new Response(null, { status: 404 });
}

function make() {
  const stores: MemoryStore[] = [];
  const createInstance = (): MemoryStore => {
    stores.push(new MemoryStore());
    return stores[stores.length - 1];
  };
  const storage = new BrowserStorageDrive({ localforage: { createInstance } as never });
  const contents = new ContentsManager({ defaultDrive: storage });
  const drive = new Drive(contents, '');
  const ask = async (method: string, path: string, data?: object): Promise<unknown> => {
    const answer = await drive.request({ method, path, data });
    return answer.ok ? answer.value : answer.errno;
  };
  const put = (path: string, data: Uint8Array | string): Promise<unknown> =>
    ask('put', path, { data: typeof data === 'string' ? new TextEncoder().encode(data) : data });
  const get = async (path: string): Promise<Uint8Array> => ((await ask('get', path)) as { data: Uint8Array }).data;
  const text = async (path: string): Promise<string> => new TextDecoder().decode(await get(path));
  const reads = (): number => stores.reduce((sum, store) => sum + store.reads, 0);
  return { contents, ask, put, get, text, reads };
}

beforeEach(() => {
  PageConfig.setOption('contentsAllJsonFile', 'all.json');
  vi.stubGlobal(
    'fetch',
    vi.fn(async (input: RequestInfo | URL) => site(input)),
  );
});
afterEach(() => {
  vi.unstubAllGlobals();
});

describe('bytes', () => {
  it.each([
    ['nothing', new Uint8Array(0)],
    ['text', new TextEncoder().encode('grüße\r\n')],
    ['a byte order mark', new Uint8Array([0xef, 0xbb, 0xbf, 0x61])],
    ['every byte', Uint8Array.from({ length: 1000 }, (_, i) => i % 256)],
    ['much', new Uint8Array(200_000).fill(0xe9)],
  ])('stay what they are: %s', async (_name, data) => {
    const { put, get, ask } = make();
    await put('file.dat', data);
    expect(Buffer.compare(await get('file.dat'), data)).toBe(0);
    expect(await ask('getattr', 'file.dat')).toMatchObject({ size: data.length });
  });

  it.each(Object.keys(SITE))('of the site are read as they are: %s', async name => {
    const { get, ask } = make();
    expect(await get(name)).toEqual(SITE[name]);
    expect(await ask('getattr', name)).toMatchObject({
      size: SITE[name].length,
      mtime: '2026-01-02T00:00:00Z',
    });
  });

  it('of a changed file of the site are the changed ones', async () => {
    const { put, text } = make();
    await put('numbers.json', '[]');
    expect(await text('numbers.json')).toBe('[]');
  });

  it('of a picture can be shown as the viewers ask for it', async () => {
    const { put, contents } = make();
    await put('a.svg', '<svg><text>grüße</text></svg>');
    const { content } = await contents.get('a.svg', { content: true, format: 'base64' });
    expect(Buffer.from(content, 'base64').toString()).toBe('<svg><text>grüße</text></svg>');
  });

  it('may have a name with a percent sign', async () => {
    const { put, text, ask } = make();
    await put('100%.txt', 'x');
    expect(await text('100%.txt')).toBe('x');
    await put('50%25.txt', 'y');
    expect(await ask('readdir', '')).toEqual(expect.arrayContaining(['100%.txt', '50%25.txt']));
  });
});

describe('notebooks', () => {
  const notebook = { cells: [], metadata: {}, nbformat: 4, nbformat_minor: 5 };

  it('are stored as notebooks', async () => {
    const { put, text, contents, ask } = make();
    await put('a.ipynb', JSON.stringify(notebook));
    expect(await contents.get('a.ipynb', { content: true })).toMatchObject({
      type: 'notebook',
      format: 'json',
      content: notebook,
    });
    expect(JSON.parse(await text('a.ipynb'))).toEqual(notebook);
    expect(await ask('getattr', 'a.ipynb')).toMatchObject({ size: (await text('a.ipynb')).length });
  });

  it('that are not finished keep their text', async () => {
    const { put, text } = make();
    await put('a.ipynb', '{"cells": [');
    expect(await text('a.ipynb')).toBe('{"cells": [');
  });
});

describe('the file used last', () => {
  it('is not read from storage again', async () => {
    const { contents, put, get } = make();
    await put('data.bin', new Uint8Array([0, 255, 1]));
    const read = vi.spyOn(contents, 'get');
    expect(await get('data.bin')).toEqual(new Uint8Array([0, 255, 1]));
    expect(read.mock.calls.map(([, options]) => options?.content)).toEqual([false]);
  });

  it('is read again once somebody else has changed it', async () => {
    const { contents, put, text } = make();
    await put('a.txt', 'old');
    expect(await text('a.txt')).toBe('old');
    await new Promise(resolve => setTimeout(resolve, 2)); // times are in ms
    await contents.save('a.txt', { type: 'file', format: 'text', content: 'new' });
    expect(await text('a.txt')).toBe('new');
  });
});

describe('folders', () => {
  it('are made, listed and removed', async () => {
    const { ask, put } = make();
    await ask('mknod', 'a', { mode: FOLDER_MODE });
    await put('a/b.txt', 'x');
    expect(await ask('lookup', 'a')).toEqual({ ok: true, mode: FOLDER_MODE });
    expect(await ask('readdir', 'a')).toEqual(['b.txt']);
    expect(await ask('readdir', 'a/b.txt')).toBe('ENOTDIR');
    expect(await ask('get', 'a')).toBe('EISDIR');
    await ask('rmdir', 'a');
    expect(await ask('lookup', 'a')).toEqual({ ok: false });
  });

  it('are moved with all that is in them', async () => {
    const { ask, put, text } = make();
    await ask('mknod', 'a', { mode: FOLDER_MODE });
    await ask('mknod', 'a/sub', { mode: FOLDER_MODE });
    await put('a/sub/100%.txt', 'x');
    await put('a/b.bin', new Uint8Array([255, 0]));
    expect(await ask('rename', 'a', { newPath: 'new' })).toMatchObject({
      before: expect.any(String),
      after: expect.any(String),
    });
    expect(await text('new/sub/100%.txt')).toBe('x');
    expect(await ask('getattr', 'new/b.bin')).toMatchObject({ size: 2 });
    expect(await ask('lookup', 'a')).toEqual({ ok: false });
    expect(await ask('lookup', 'a/b.bin')).toEqual({ ok: false });
  });

  it('that cannot be made leave nothing behind', async () => {
    const { ask, contents } = make();
    vi.spyOn(contents, 'rename').mockRejectedValue(new Error('no room'));
    expect(await ask('mknod', 'a', { mode: FOLDER_MODE })).toBe('EIO');
    const { content } = await contents.get('');
    expect((content as Contents.IModel[]).map(({ name }) => name).sort()).toEqual(Object.keys(SITE).sort());
  });
});

describe('a renamed file', () => {
  it('tells its time before and after', async () => {
    const { ask, put, contents } = make();
    await put('a.txt', 'x');
    const { last_modified: before } = await contents.get('a.txt');
    await new Promise(resolve => setTimeout(resolve, 2)); // times are in ms
    const moved = (await ask('rename', 'a.txt', { newPath: 'b.txt' })) as { before: string; after: string };
    expect(moved).toEqual({ before, after: (await contents.get('b.txt')).last_modified });
  });

  it('may have a percent sign in its name', async () => {
    const { ask, put, text } = make();
    await put('100%.txt', 'x');
    await ask('rename', '100%.txt', { newPath: '%41.txt' });
    await ask('rename', '%41.txt', { newPath: 'c.txt' });
    expect(await text('c.txt')).toBe('x');
    expect(await ask('readdir', '')).toEqual(expect.not.arrayContaining(['100%.txt', '%41.txt', 'A.txt']));
  });

  it('takes the place of another, also in what is remembered', async () => {
    const { ask, put, text } = make();
    await put('a.txt', 'new');
    await put('b.txt', 'old');
    await ask('rename', 'a.txt', { newPath: 'b.txt' });
    expect(await text('b.txt')).toBe('new');
  });
});

describe('failures', () => {
  it.each(['get', 'getattr', 'readdir'])('name what is missing: %s', async method => {
    expect(await make().ask(method, 'nowhere.txt')).toBe('ENOENT');
  });

  it('say that a file of the site stays', async () => {
    expect(await make().ask('rmdir', 'numbers.json')).toBe('EROFS');
  });

  it('refuse what is no request', async () => {
    expect(await make().ask('format', '')).toBe('ENOSYS');
  });

  it.each([
    [new ServerConnection.ResponseError(new Response(null, { status: 403 })), 'EACCES'],
    [new ServerConnection.ResponseError(new Response(null, { status: 409 })), 'EEXIST'],
    [new DOMException('full', 'QuotaExceededError'), 'ENOSPC'],
    [new Error('File does not exist: a'), 'ENOENT'],
    ['odd', 'EIO'],
    [undefined, 'EIO'],
  ])('of the contents manager become an errno: %s', async (error, errno) => {
    const { contents, put } = make();
    vi.spyOn(contents, 'save').mockRejectedValue(error);
    expect(await put('a.txt', 'x')).toBe(errno);
  });

  it('of a lookup are not taken for a missing file', async () => {
    const { contents, ask } = make();
    vi.spyOn(contents, 'get').mockRejectedValue(new Error('offline'));
    expect(await ask('lookup', 'a.txt')).toBe('EIO');
  });
});

it('uses the paths of another drive as they are', async () => {
  const get = vi.fn(async () => ({ type: 'file', format: 'text', content: 'x', size: 1 }));
  const fileChanged = { connect: vi.fn() };
  const drive = new Drive({ get, fileChanged } as unknown as Contents.IManager, 'Other');
  await drive.request({ method: 'get', path: 'a/100%.txt' });
  expect(get).toHaveBeenLastCalledWith('Other:a/100%.txt', { content: true });
});

describe('a long file', () => {
  const LENGTH = 2 << 20;

  /** Another drive on the same contents, which remembers no file, and what Python asks of it when it reads one. */
  async function reading() {
    const made = make();
    await made.put('long.dat', new Uint8Array(LENGTH).fill(0xe9));
    const drive = new Drive(made.contents, '');
    const ask = async (method: string): Promise<Record<string, unknown>> => {
      const answer = await drive.request({ method, path: 'long.dat' });
      return (answer.ok ? answer.value : { errno: answer.errno }) as Record<string, unknown>;
    };
    return { ...made, ask };
  }

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is read from storage twice, not once for each question', async () => {
    const { ask, reads } = await reading();
    const before = reads();
    expect(await ask('lookup')).toMatchObject({ ok: true });
    expect(await ask('getattr')).toMatchObject({ size: LENGTH });
    const { data } = (await ask('get')) as { data: Uint8Array };
    expect(Buffer.compare(data, new Uint8Array(LENGTH).fill(0xe9))).toBe(0);
    expect(await ask('getattr')).toMatchObject({ size: LENGTH });
    expect(reads() - before).toBe(2);
  });

  it('is asked for again when the page has changed it, and after a moment', async () => {
    const { ask, contents, reads } = await reading();
    expect(await ask('getattr')).toMatchObject({ size: LENGTH });
    await contents.save('long.dat', { type: 'file', format: 'text', content: 'short' });
    expect(await ask('getattr')).toMatchObject({ size: 5 });
    await contents.save('long.dat', { type: 'file', format: 'text', content: 'x'.repeat(LENGTH) });
    expect(await ask('lookup')).toMatchObject({ ok: true });
    const before = reads();
    await ask('lookup');
    expect(reads()).toBe(before);
    vi.advanceTimersByTime(1001);
    await ask('lookup');
    expect(reads()).toBe(before + 1);
  });

  it('that Python has just written is not read from storage at all', async () => {
    const { ask, put, get, reads } = make();
    const written = new TextEncoder().encode('é'.repeat(LENGTH));
    await put('long.txt', written);
    const before = reads();
    expect(await ask('lookup', 'long.txt')).toMatchObject({ ok: true });
    expect(await ask('getattr', 'long.txt')).toMatchObject({ size: written.length });
    expect(Buffer.compare(await get('long.txt'), written)).toBe(0);
    expect(reads()).toBe(before);
  });

  it('that Python has removed is gone', async () => {
    const { ask } = await reading();
    await ask('lookup');
    await ask('rmdir');
    expect(await ask('lookup')).toEqual({ ok: false });
  });
});
