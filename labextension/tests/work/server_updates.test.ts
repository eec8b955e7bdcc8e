import type { Contents } from '@jupyterlab/services';
import { beforeEach, expect, it } from 'vitest';

import { fromBase64 } from '../../src/runtime/base64';
import { parseManifest, type LabManifest } from '../../src/runtime/manifest';
import { Bases } from '../../src/work/bases';
import { sourceOf } from '../../src/work/compare';
import { ServerUpdates } from '../../src/work/server_updates';
import { MemoryFiles } from './memory_files';

const text = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const notebook = (...sources: string[]) => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: {},
  cells: sources.map((source, i) => ({ cell_type: 'code', id: `c${i}`, source, metadata: {}, outputs: [] })),
});
const manifest = (version: string) => ({
  id: 'adding',
  version,
  requires_browsergrad: '^0.8.0',
  required_ops: [],
  rubric_path: 'rubric.py',
  starter_path: 'lab.ipynb',
  reference_path: 'solution.py',
  datasets: [{ name: 'words', url: 'data/words.txt' }],
});
const texts = { removed: 'GONE', conflict: 'NEW' };

/** The server's files, by path. */
let server: Map<string, Uint8Array>;
let updates: ServerUpdates;
const bases = new Bases(new MemoryFiles(), '/');

beforeEach(() => {
  server = new Map();
  for (const folder of ['mine', 'course/adding']) {
    server.set(`${folder}/manifest.json`, text(manifest('1.0.0')));
    server.set(`${folder}/lab.ipynb`, text(notebook('x = 1', 'y = 1')));
    server.set(`${folder}/rubric.py`, text('old'));
    server.set(`${folder}/data/words.txt`, text('ant'));
  }
  updates = opened(bases);
});

function opened(known: Bases | null): ServerUpdates {
  const contents = {
    get: async () => ({}),
    save: async (path: string, { content }: Partial<Contents.IModel>) => void server.set(path, fromBase64(content)),
  };
  const made = new ServerUpdates(
    async () => known,
    async path => server.get(path) ?? null,
    {
      check: async () => {
        const parsed = parseManifest(new TextDecoder().decode(server.get('mine/manifest.json')));
        return {
          kind: 'lab',
          lab: { path: 'mine/manifest.json', manifest: (parsed as { manifest: LabManifest }).manifest },
        };
      },
    },
    contents as unknown as Contents.IManager,
  );
  made.labsFolder = 'course';
  return made;
}

function publish(): void {
  server.set('course/adding/manifest.json', text(manifest('1.1.0')));
  server.set('course/adding/lab.ipynb', text(notebook('x = 2', 'y = 2')));
  server.set('course/adding/rubric.py', text('new'));
  server.set('course/adding/data/words.txt', text('bee'));
}

const content = (path: string): string => new TextDecoder().decode(server.get(path));

it('a new version comes from the folder of the teacher, and can be undone', async () => {
  expect(await updates.find('mine/lab.ipynb')).toBeNull();
  publish();
  const update = (await updates.find('mine/lab.ipynb'))!;
  const mine = notebook('x = 1', 'y = 42');
  const merged = updates.merge(update, mine, texts);
  expect(merged.notebook.cells.map(sourceOf).slice(0, 2)).toEqual(['x = 2', 'y = 42']);
  expect(merged.conflicts).toHaveLength(1);
  const before = new Map(server);
  expect(await updates.done(update)).toEqual(['mine/data/words-before-1.1.0.txt']);
  expect([content('mine/rubric.py'), content('mine/data/words.txt')]).toEqual(['new', 'bee']);
  expect(content('mine/data/words-before-1.1.0.txt')).toBe('ant');
  expect(server.get('mine/lab.ipynb')).toBe(before.get('mine/lab.ipynb')); // the front end saves that
  expect(await updates.find('mine/lab.ipynb')).toBeNull();
  await updates.undone(update);
  expect(content('mine/rubric.py')).toBe('old');
  expect((await updates.find('mine/lab.ipynb'))?.manifest.version).toBe('1.1.0');
});

it('without a second store, what the student began with is unknown, and theirs stays', async () => {
  updates = opened(null);
  publish();
  const update = (await updates.find('mine/lab.ipynb'))!;
  expect(update.base).toMatchObject({ version: '1.0.0', notebook: null });
  const { notebook: result } = updates.merge(update, notebook('x = 1', 'y = 42'), texts);
  expect(result.cells.map(sourceOf)).toEqual(expect.arrayContaining(['x = 1', 'y = 42']));
});

it.each<[string, () => void]>([
  ['no folder is set', () => (updates.labsFolder = '')],
  ['the folder is missing', () => (updates.labsFolder = 'missing')],
  [
    'the lab there is another one',
    () => server.set('course/adding/manifest.json', text({ ...manifest('2.0.0'), id: 'other' })),
  ],
  ['the manifest there is damaged', () => server.set('course/adding/manifest.json', text('{'))],
  ['the notebook there is damaged', () => server.set('course/adding/lab.ipynb', text('{'))],
  ['the version there is older', () => server.set('course/adding/manifest.json', text(manifest('0.9.0')))],
])('there is no update if %s', async (_, change) => {
  publish();
  change();
  expect(await updates.find('mine/lab.ipynb')).toBeNull();
});
