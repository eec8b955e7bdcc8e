import { nullTranslator } from '@jupyterlab/translation';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';

import {
  filePathProblem,
  LIST_NAME,
  makeArchive,
  readArchive as read,
  type ArchiveAbout,
  type ArchiveFile,
} from '../../src/work/archive';

/** Without a language pack. */
const trans = nullTranslator.load('');
const readArchive = (data: Uint8Array): ReturnType<typeof read> => read(data, trans);

const ABOUT: ArchiveAbout = {
  folder: 'lab',
  lab: { id: 'adding', version: '1.0.0' },
  runtime: '1.0.0',
  made_at: '2026',
};
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const NOTEBOOK = { nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [] };
const FILES: ArchiveFile[] = [
  { path: 'lab.ipynb', data: text(JSON.stringify(NOTEBOOK)) },
  { path: 'déjà/vu.bin', data: new Uint8Array([0, 255, 1]) },
];

/** A zip file of these entries, with a list that fits unless one is given. */
async function archive(entries: Record<string, Uint8Array>, list?: unknown): Promise<Uint8Array> {
  const files = await Promise.all(
    Object.entries(entries).map(async ([name, data]) => {
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data as BufferSource));
      return { path: name.replace('files/', ''), size: data.length, sha256: Buffer.from(digest).toString('hex') };
    }),
  );
  const whole = { format: 'browsergrad-work', format_version: 1, ...ABOUT, files };
  return zipSync({ [LIST_NAME]: text(JSON.stringify(list ?? whole)), ...entries });
}

describe('an archive', () => {
  it('gives back what was put in', async () => {
    const made = await makeArchive(FILES, ABOUT);
    expect(await readArchive(made)).toEqual({ about: ABOUT, files: FILES });
  });

  it('loses the marks by which scripts in outputs would run', async () => {
    const cells = [{ cell_type: 'code', metadata: { trusted: true, tags: ['a'] }, source: '', outputs: [] }];
    const data = text(JSON.stringify({ ...NOTEBOOK, metadata: { trusted: true }, cells }));
    const { files } = await readArchive(await makeArchive([{ path: 'lab.ipynb', data }], ABOUT));
    expect(new TextDecoder().decode(files[0].data)).not.toContain('trusted');
  });

  it.each([
    ['files/../evil.py', '..'],
    ['files//etc/passwd', 'an empty step'],
    ['files/a/./b', 'an empty step, . or ..'],
    ['files/a\\..\\b', 'backslash'],
    ['/files/a', 'is not in the folder files/'],
    ['evil.js', 'is not in the folder files/'],
    ['files/a\u0000b', 'control'],
    [`files/${'x'.repeat(1001)}`, 'more than 1000 characters'],
    ['files/folder/', 'is that of a folder'],
  ])('with the path %j is refused', async (name, why) => {
    await expect(readArchive(await archive({ [name]: text('x') }))).rejects.toThrow(why);
  });

  it.each(['a\u0000b', 'a\\b', '/a', 'http:a', '%2e%2e/a', ' a', 'a%2f', '../a', 'a/', 'x'.repeat(1001), 'a//b'])(
    'says in the page’s language why the path %j is refused',
    path => {
      const marked = { ...trans, __: (text: string) => `[${text}]` };
      expect(filePathProblem(path, marked as typeof trans)).toMatch(/^\[.+\]$/);
    },
  );

  it('with two names that differ only in case is refused', async () => {
    const made = await archive({ 'files/a.py': text('1'), 'files/A.py': text('2') });
    await expect(readArchive(made)).rejects.toThrow('comes more than once');
  });

  /** Changes a field of the second entry in the directory. */
  async function patched(offset: number, value: number, bytes: 2 | 4): Promise<Uint8Array> {
    const made = await archive({ 'files/a.py': text('1') });
    const view = new DataView(made.buffer, made.byteOffset);
    const places = [...made.keys()].filter(at => at + 4 <= made.length && view.getUint32(at, true) === 0x02014b50);
    if (bytes === 2) {
      view.setUint16(places[1] + offset, value, true);
    } else {
      view.setUint32(places[1] + offset, value, true);
    }
    return made;
  }

  it.each([
    ['a link', 38, 0o120777 * 65_536, 4, 'is a link'],
    ['a device', 38, 0o060777 * 65_536, 4, 'is a link'],
    ['an encrypted file', 8, 1, 2, 'is encrypted'],
    ['a file that is said to have 1 GB', 24, 2 ** 30, 4, 'longer than'],
  ] as const)('with %s is refused', async (_, offset, value, bytes, why) => {
    await expect(readArchive(await patched(offset, value, bytes))).rejects.toThrow(why);
  });

  it.each([
    ['no zip file', text('hello'), 'is not a zip file'],
    ['nothing', new Uint8Array(), 'is not a zip file'],
    ['a zip file of others', zipSync({ 'a.txt': text('a') }), 'was not made by “Download my work”'],
    ['a list that is not JSON', zipSync({ [LIST_NAME]: text('{') }), 'is not JSON'],
    ['a list of nothing', zipSync({ [LIST_NAME]: text('{}') }), 'is not a list of files'],
  ])('that is %s is refused', async (_, data, why) => {
    await expect(readArchive(data)).rejects.toThrow(why);
  });

  it('of which one byte is wrong is refused, or is the same', async () => {
    const made = await makeArchive(FILES, ABOUT);
    const { files } = await readArchive(made);
    for (let at = 0; at < made.length; at += 11) {
      const damaged = made.slice();
      damaged[at] ^= 0x40;
      // What no one reads, such as times, may be wrong.
      const result = await readArchive(damaged).catch((error: Error) => error);
      if (!(result instanceof Error)) {
        expect(result.files).toEqual(files);
      } else {
        expect(result.name).toBe('BadArchive');
      }
    }
  });

  it('that is cut off is refused', async () => {
    const made = await makeArchive(FILES, ABOUT);
    for (const part of [0.3, 0.6, 0.9, 0.99]) {
      await expect(readArchive(made.slice(0, made.length * part))).rejects.toThrow();
    }
  });

  it('that has more or fewer files than its list, or another one, is refused', async () => {
    const list = { format: 'browsergrad-work', format_version: 1, ...ABOUT };
    const data = text('1');
    const wrong = [{ path: 'a.py', size: 1, sha256: '0'.repeat(64) }];
    await expect(readArchive(await archive({ 'files/a.py': data }, { ...list, files: [] }))).rejects.toThrow(
      'not name',
    );
    await expect(readArchive(await archive({}, { ...list, files: wrong }))).rejects.toThrow('is missing');
    await expect(readArchive(await archive({}, { ...list, files: [...wrong, ...wrong] }))).rejects.toThrow('than once');
    await expect(readArchive(await archive({ 'files/a.py': data }, { ...list, files: wrong }))).rejects.toThrow('hash');
    await expect(readArchive(await archive({}, { ...list, folder: '../x', files: [] }))).rejects.toThrow('..');
    await expect(readArchive(await archive({}, { ...list, format_version: 2, files: [] }))).rejects.toThrow('newer');
  });
});
