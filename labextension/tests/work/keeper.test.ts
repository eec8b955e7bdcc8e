// @vitest-environment happy-dom
import type * as nbformat from '@jupyterlab/nbformat';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { sourceOf } from '../../src/work/compare';
import { Drafts } from '../../src/work/drafts';
import { History } from '../../src/work/history';
import { NotebookKeeper, type Found, type NotebookContext } from '../../src/work/keeper';
import { LabUpdates } from '../../src/work/lab_updates';
import { MemoryFiles, MemoryLocks } from './memory_files';
import { Context, notebook, PATH } from './open_notebook';

const files = new MemoryFiles();
const locks = new MemoryLocks();
let found: Found[];
let problems: Error[];
let pages = 0;
let rooms = 0;

beforeEach(() => {
  files.files.clear();
  locks.names.clear();
  [found, problems, rooms, files.quota] = [[], [], 0, null];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  expect(problems).toEqual([]);
});

/** Opens a notebook in a new page. */
async function open(context: Context, stored?: nbformat.INotebookContent): Promise<NotebookKeeper> {
  const page = `page${pages++}`;
  const history = new History(files, locks, '/');
  history.onGivenBack = () => rooms++;
  const keeper = new NotebookKeeper(
    context as unknown as NotebookContext,
    history,
    new Drafts(files, locks, '/', page),
    {
      onFound: (_, one) => found.push(one),
      onProblem: error => problems.push(error),
      counts: () => null,
    },
    () => stored ?? null,
  );
  await context.ready;
  await keeper.settled;
  return keeper;
}

/** Lets the drafts be written. */
async function draft(keeper: NotebookKeeper): Promise<void> {
  await vi.advanceTimersByTimeAsync(1200);
  await keeper.settled;
}

/** All pages end without a word. */
const crash = (): void => locks.names.clear();

const kinds = async (): Promise<string[]> => (await new History(files, locks, '/').versions(PATH)).map(one => one.kind);

describe('a notebook that is kept', () => {
  it('comes back after a crash, with an undo', async () => {
    const first = new Context(notebook('1'));
    const keeper = await open(first);
    first.type('typed');
    await draft(keeper);
    first.type('typed and more');
    crash();
    const second = new Context(notebook('1'));
    await open(second);
    expect(second.sources).toEqual(['typed']);
    expect(found.map(({ kind }) => kind)).toEqual(['recovered']);
    await (found[0] as { undo(): Promise<void> }).undo();
    expect(second.sources).toEqual(['1']);
    expect(await kinds()).toContain('typed');
  });

  it('comes back although the second store opened after something was typed', async () => {
    const first = new Context(notebook('1'));
    first.type('early');
    const keeper = await open(first);
    first.type('early and late');
    await draft(keeper);
    crash();
    const second = new Context(notebook('1'));
    await open(second);
    expect(second.sources).toEqual(['early and late']);
    expect(found.map(({ kind }) => kind)).toEqual(['recovered']);
  });

  it('comes back although a kernel has changed its metadata before the second store opened', async () => {
    const first = new Context(notebook('1'));
    first.type('early');
    const keeper = await open(first, notebook('1'));
    await draft(keeper);
    crash();
    const second = new Context(notebook('1'));
    second.model.fromJSON({ ...notebook('1'), metadata: { language_info: { name: 'python', version: '3.14' } } });
    await open(second, notebook('1'));
    expect(second.sources).toEqual(['early']);
    expect(found.map(({ kind }) => kind)).toEqual(['recovered']);
  });

  it('does not replace what was typed before the second store opened', async () => {
    const first = new Context(notebook('1'));
    const keeper = await open(first);
    first.type('of the page that crashed');
    await draft(keeper);
    crash();
    const second = new Context(notebook('1'));
    second.type('of this page');
    await open(second, notebook('1'));
    expect(second.sources).toEqual(['of this page']);
    expect(found.map(({ kind }) => kind)).toEqual(['kept']);
  });

  it('keeps the language that the kernel has named, if it is replaced by a state that names none', async () => {
    const context = new Context(notebook('1'));
    const keeper = await open(context);
    context.content.metadata.language_info = { name: 'python' };
    await keeper.replace({ ...notebook('2'), metadata: { title: 'two' } });
    expect(context.content.metadata).toEqual({ language_info: { name: 'python' }, title: 'two' });
    await keeper.replace({ ...notebook('3'), metadata: { language_info: { name: '' } } });
    expect(context.content.metadata).toEqual({ language_info: { name: 'python' } });
    await keeper.replace({ ...notebook('4'), metadata: { language_info: { name: 'other' } } });
    expect(context.content.metadata).toEqual({ language_info: { name: 'other' } });
  });

  it('has no draft of what a kernel notes in its metadata, nor of what was typed and taken back', async () => {
    const context = new Context(notebook('1'));
    const keeper = await open(context);
    const drafts = (): string[] => [...files.files.keys()].filter(path => path.startsWith('drafts/'));
    context.type('2');
    await draft(keeper);
    expect(drafts()).toHaveLength(1);
    await context.save();
    await keeper.settled;
    const language_info = { name: 'python', version: '3.14' };
    context.model.fromJSON({ ...context.content, metadata: { language_info } });
    await draft(keeper);
    expect(context.model.dirty).toBe(true);
    expect(drafts()).toEqual([]);
    context.type('3');
    await draft(keeper);
    expect(drafts()).toHaveLength(1);
    context.type('2');
    await draft(keeper);
    expect(drafts()).toEqual([]);
  });

  it('does not say that it is in the state before, while a save is being noted', async () => {
    const context = new Context(notebook('1'));
    const keeper = await open(context);
    const before = keeper.savedHash;
    expect(before).not.toBe('');
    context.type('2');
    await context.save();
    expect(keeper.savedHash).toBe('');
    await keeper.settled;
    expect(['', before]).not.toContain(keeper.savedHash);
  });

  it('is left alone if it was saved before the crash', async () => {
    const first = new Context(notebook('1'));
    const keeper = await open(first);
    first.type('2');
    await draft(keeper);
    await first.save();
    await keeper.settled;
    crash();
    const second = new Context(notebook('2'), Date.now());
    await open(second);
    expect([second.sources, found]).toEqual([['2'], []]);
    expect(await kinds()).toEqual(['saved', 'opened']);
  });

  it('is not overwritten by a draft of another state, which is in the history', async () => {
    const first = new Context(notebook('1'));
    const keeper = await open(first);
    first.type('typed');
    await draft(keeper);
    crash();
    const second = new Context(notebook('changed by others'), Date.now() + 1000);
    await open(second);
    expect(second.sources).toEqual(['changed by others']);
    expect(found.map(({ kind }) => kind)).toEqual(['kept']);
    expect(await kinds()).toEqual(expect.arrayContaining(['typed']));
  });

  it('is offered too if a draft of the same state was left', async () => {
    const context = new Context(notebook('x = 1'));
    const keeper = await open(context);
    context.type('x = 2');
    await context.save();
    await keeper.settled;
    context.type('x = 3');
    await draft(keeper);
    const left = [...files.files].filter(([path]) => path.startsWith('drafts/'));
    await context.save();
    await keeper.settled;
    crash();
    left.forEach(([path, bytes]) => files.files.set(path, bytes)); // the page ended before it could be removed
    await open(new Context(notebook('x = 1')));
    expect([left.length, found.map(({ kind }) => kind)]).toEqual([1, ['lost']]);
  });

  it('is offered anew if the storage has lost it, at every visit', async () => {
    const first = new Context(notebook('shipped'));
    const keeper = await open(first);
    first.type('work');
    await first.save();
    await keeper.settled;
    crash();
    for (const _ of [1, 2]) {
      found = [];
      await open(new Context(notebook('shipped'), 1000));
      expect(found.map(({ kind }) => kind)).toEqual(['lost']);
    }
  });

  it('is a version if it is closed without saving, and is not offered then', async () => {
    const first = new Context(notebook('1'));
    const keeper = await open(first);
    first.type('thrown away');
    await draft(keeper);
    keeper.dispose();
    await keeper.settled;
    expect(await kinds()).toEqual(['closed', 'opened']);
    await open(new Context(notebook('1')));
    expect(found).toEqual([]);
  });

  it('is told to be open elsewhere, as soon as the other page changes it', async () => {
    const [first, second] = [new Context(notebook('1')), new Context(notebook('1'))];
    const [one, two] = [await open(first), await open(second)];
    expect(found).toEqual([]);
    first.type('first');
    await draft(one);
    second.type('second');
    await draft(two);
    await vi.waitFor(() => expect(found.map(({ kind }) => kind)).toEqual(['elsewhere'])); // drafts do not wait for it
    await first.save();
    await second.save();
    await Promise.all([one.settled, two.settled]);
    expect(await kinds()).toEqual(['saved', 'saved', 'opened']);
  });

  it('comes back with what a running cell had written after the last save', async () => {
    const context = new Context(notebook('print(1)'));
    const keeper = await open(context);
    await context.save();
    await keeper.settled;
    // JupyterLab appends text without a signal, and the notebook stays clean.
    context.content.cells[0].outputs = [{ output_type: 'stream', name: 'stdout', text: '1' }];
    context.sessionContext.iopubMessage.emit({ header: { msg_type: 'stream' } });
    await draft(keeper);
    crash();
    const second = new Context(notebook('print(1)'));
    await open(second);
    expect(found.map(({ kind }) => kind)).toEqual(['recovered']);
    expect(second.content.cells[0].outputs).toHaveLength(1);
  });

  it('survives a store that fails', async () => {
    const context = new Context(notebook('1'));
    const keeper = await open(context);
    const write = vi.spyOn(files, 'write').mockRejectedValue(new Error('full'));
    context.type('2');
    await draft(keeper);
    await context.save();
    await keeper.settled;
    expect(problems.splice(0).map(({ message }) => message)).toEqual(['full', 'full']);
    write.mockRestore();
    context.type('3');
    await context.save();
    await keeper.settled;
    expect(await kinds()).toEqual(['saved', 'opened']);
  });
});

describe('a lab that has a newer version', () => {
  const manifest = (version: string): object => ({
    id: 'adding',
    version,
    requires_browsergrad: '^0.8.0',
    required_ops: [],
    rubric_path: 'rubric.py',
    starter_path: 'starter.py',
    reference_path: 'solution.py',
  });
  const texts = { removed: 'GONE', conflict: 'NEW' };

  function lab(stored: Set<string>) {
    const site = new Map<string, object>([
      ['lab/manifest.json', manifest('1.0.0')],
      ['lab/lab.ipynb', notebook('x = 1')],
    ]);
    const renamed: [string, string][] = [];
    const updates = new LabUpdates(
      files,
      '/',
      {
        readSite: async path => {
          const found = site.get(path);
          return found ? new TextEncoder().encode(JSON.stringify(found)) : null;
        },
      },
      { check: async () => ({ kind: 'lab', lab: { path: 'lab/manifest.json', manifest: {} as never } }) },
      {
        getDownloadUrl: async path => (stored.has(path) ? 'blob:x' : 'https://x'),
        delete: async () => undefined,
        rename: async (from, to) => {
          renamed.push([from, to]);
          return {} as never;
        },
      },
    );
    return { site, updates, renamed };
  }

  it('is found once, against what the student began with', async () => {
    const stored = new Set(['lab/rubric.py']);
    const { site, updates, renamed } = lab(stored);
    expect(await updates.find('lab/lab.ipynb')).toBeNull();
    site.set('lab/manifest.json', manifest('1.1.0')).set('lab/lab.ipynb', notebook('x = 2'));
    await updates.renamed('lab/lab.ipynb', 'lab/mine.ipynb');
    const update = (await updates.find('lab/mine.ipynb'))!;
    expect(updates.merge(update, notebook('x = 1'), texts).notebook.cells.map(sourceOf)).toEqual(['x = 2']);
    expect(await updates.done(update)).toEqual(['lab/rubric-before-1.1.0.py']);
    expect(renamed).toEqual([['lab/rubric.py', 'lab/rubric-before-1.1.0.py']]);
    expect(await updates.find('lab/mine.ipynb')).toBeNull();
    await updates.undone(update);
    expect((await updates.find('lab/mine.ipynb'))?.manifest.version).toBe('1.1.0');
  });

  it('is compared without a base if the student began before it was remembered', async () => {
    const { site, updates } = lab(new Set(['lab/lab.ipynb']));
    await updates.find('lab/lab.ipynb');
    site.set('lab/manifest.json', manifest('2.0.0')).set('lab/lab.ipynb', notebook('x = 2'));
    const update = (await updates.find('lab/lab.ipynb'))!;
    expect(updates.merge(update, notebook('x = 1'), texts).conflicts).toHaveLength(1);
  });

  it('is not found if it is older, or the site has no such notebook', async () => {
    const { site, updates } = lab(new Set());
    await updates.find('lab/lab.ipynb');
    site.set('lab/manifest.json', manifest('1.0.0-rc.1'));
    expect(await updates.find('lab/lab.ipynb')).toBeNull();
    site.set('lab/manifest.json', manifest('2.0.0')).delete('lab/lab.ipynb');
    expect(await updates.find('lab/lab.ipynb')).toBeNull();
  });
});

describe('a busy or full second store', () => {
  it('has the draft even while the history does not answer', async () => {
    const context = new Context(notebook('a'));
    const keeper = await open(context);
    const read = files.list.bind(files);
    files.list = path => (path.startsWith('history') ? new Promise(() => undefined) : read(path));
    try {
      void keeper.keep('saved');
      context.type('b');
      await vi.advanceTimersByTimeAsync(1200);
      await vi.waitFor(() => expect([...files.files.keys()].some(path => path.startsWith('drafts/'))).toBe(true));
    } finally {
      files.list = read;
    }
  });

  it('gives back old versions for a notebook that could not be saved, which is then saved again', async () => {
    const context = new Context(notebook('a'));
    const keeper = await open(context);
    for (const text of ['b', 'c', 'd']) {
      context.type(text.repeat(1000));
      await context.save();
      await keeper.settled;
    }
    const before = files.bytes;
    files.quota = before;
    context.type('e');
    const saved = vi.spyOn(context, 'save');
    context.saveState.emit('failed');
    await keeper.settled;
    await keeper.settled; // of the save in it
    expect(saved).toHaveBeenCalledOnce();
    expect(rooms).toBeGreaterThan(0);
    expect(files.bytes).toBeLessThan(before);
    const history = new History(files, locks, '/');
    const [newest] = await history.versions(PATH);
    expect((await history.read(newest))!.cells.map(sourceOf)).toEqual(['e']);
  });

  it('says that it is full when nothing can be given back', async () => {
    const context = new Context(notebook('a'));
    const keeper = await open(context);
    files.quota = files.bytes;
    context.type('b'.repeat(10_000));
    await draft(keeper);
    expect(problems.splice(0).map(error => (error as { code?: string }).code)).toEqual(['full']);
  });
});
