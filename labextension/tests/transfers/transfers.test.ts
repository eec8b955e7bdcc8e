import type { Contents } from '@jupyterlab/services';
import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it, vi } from 'vitest';

import { toBase64 } from '../../src/runtime/base64';
import { decodeDownloadsInPieces, LONG_BYTES } from '../../src/transfers/downloads';
import { storeUploadsOnce } from '../../src/transfers/uploads';

function contentsWith(file: Partial<Contents.IModel> = {}) {
  return {
    driveName: (path: string) => (path.includes(':') ? path.split(':')[0] : ''),
    save: vi.fn(async (path: string, model?: Partial<Contents.IModel>) => ({ ...model, path }) as Contents.IModel),
    get: vi.fn(
      async (_path: string, { content }: { content: boolean }) =>
        ({ ...file, content: content ? file.content : null }) as Contents.IModel,
    ),
    getDownloadUrl: vi.fn(async (path: string) => `original ${path}`),
  };
}

const bytes = (length: number): Uint8Array => new Uint8Array(Buffer.alloc(length, 'a pattern of 23 letters'));
const model = { type: 'file', format: 'base64', name: 'a.bin' } as const;

describe('an upload in chunks', () => {
  it('is stored once, whole', async () => {
    const contents = contentsWith();
    const { save } = contents;
    storeUploadsOnce(contents, nullTranslator.load(''));
    const whole = bytes(1000);
    // The chunks' lengths are no multiples of 3, so that their base64 cannot just be joined.
    for (const [chunk, begin, end] of [
      [1, 0, 400],
      [2, 400, 800],
      [-1, 800, 1000],
    ]) {
      await contents.save('a.bin', { ...model, chunk, content: toBase64(whole.subarray(begin, end)) });
    }
    expect(save.mock.calls).toEqual([['a.bin', { ...model, content: toBase64(whole) }]]);
  });

  it('that begins again leaves nothing of the first attempt', async () => {
    const contents = contentsWith();
    const { save } = contents;
    storeUploadsOnce(contents, nullTranslator.load(''));
    for (const [chunk, text] of [
      [1, 'old'],
      [1, 'new'],
      [-1, '!'],
    ] as const) {
      await contents.save('a.bin', { ...model, chunk, content: btoa(text) });
    }
    expect(save.mock.calls.map(([, saved]) => atob(saved?.content as string))).toEqual(['new!']);
  });

  it.each([
    ['a notebook', 'a.ipynb', 'base64'],
    ['a file of another drive', 'other:a.bin', 'base64'],
    ['text', 'a.txt', 'text'],
  ] as const)('of %s is left to JupyterLite', async (_, path, format) => {
    const contents = contentsWith();
    const { save } = contents;
    storeUploadsOnce(contents, nullTranslator.load(''));
    await contents.save(path, { ...model, format, chunk: 1, content: 'YQ==' });
    await contents.save(path, { ...model, format, chunk: -1, content: 'YQ==' });
    expect(save).toHaveBeenCalledTimes(2);
  });

  it('that is too long for the browser says so in plain words', async () => {
    const contents = contentsWith();
    contents.save.mockRejectedValue(new Error('The value is too large (size=2797, max=133169152 bytes).'));
    storeUploadsOnce(contents, nullTranslator.load(''));
    await contents.save('a.bin', { ...model, chunk: 1, content: '' });
    const last = contents.save('a.bin', { ...model, chunk: -1, content: 'YQ==' });
    await expect(last).rejects.toThrow('a.bin has 1 MB. This browser can store files of up to 99 MB');
  });

  it('does not change other saves', async () => {
    const contents = contentsWith();
    const { save } = contents;
    storeUploadsOnce(contents, nullTranslator.load(''));
    await contents.save('a.txt', { type: 'file', format: 'text', content: 'x' });
    await contents.save('b.txt');
    expect(save.mock.calls).toEqual([
      ['a.txt', { type: 'file', format: 'text', content: 'x' }],
      ['b.txt', {}],
    ]);
  });
});

describe('a download', () => {
  it('of a long stored file has its bytes, and says how far it is', async () => {
    const whole = bytes(LONG_BYTES + 1);
    const contents = contentsWith({
      format: 'base64',
      size: whole.length,
      content: Buffer.from(whole).toString('base64'),
    });
    const said: number[] = [];
    const createObjectURL = vi.fn((_: Blob) => 'blob:made');
    vi.stubGlobal('URL', { createObjectURL });
    decodeDownloadsInPieces(contents, (_, fraction) => said.push(fraction));
    expect(await contents.getDownloadUrl('a.bin')).toBe('blob:made');
    // Not by `toEqual`, which takes minutes for so many elements.
    expect(Buffer.from(await createObjectURL.mock.calls[0][0].arrayBuffer()).equals(whole)).toBe(true);
    expect(said.at(0)).toBe(0);
    expect(said.at(-1)).toBe(1);
    expect(said.length).toBeGreaterThan(3);
    vi.unstubAllGlobals();
  });

  it.each([
    ['a short file', { format: 'base64', size: LONG_BYTES - 1 } as const, 'a.bin'],
    ['text', { format: 'text', size: LONG_BYTES } as const, 'a.txt'],
    ['a file of the site', { size: LONG_BYTES } as const, 'a.bin'],
    ['a file of another drive', { format: 'base64', size: LONG_BYTES } as const, 'other:a.bin'],
  ])('of %s is left to JupyterLite', async (_, file, path) => {
    const contents = contentsWith(file);
    const said: number[] = [];
    decodeDownloadsInPieces(contents, (_path, fraction) => said.push(fraction));
    expect(await contents.getDownloadUrl(path)).toBe(`original ${path}`);
    expect(said).toEqual([]);
  });

  it('of a file that cannot be read is reported by JupyterLite', async () => {
    const contents = contentsWith();
    contents.get.mockRejectedValue(new Error('gone'));
    decodeDownloadsInPieces(contents, () => undefined);
    expect(await contents.getDownloadUrl('a.bin')).toBe('original a.bin');
  });
});
