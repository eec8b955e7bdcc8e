import type * as nbformat from '@jupyterlab/nbformat';
import { beforeEach, describe, expect, it } from 'vitest';

import { completeDraft, Drafts } from '../../src/work/drafts';
import { History } from '../../src/work/history';
import { superfluous } from '../../src/work/thinning';
import { MemoryFiles, MemoryLocks } from './memory_files';

const SITE = '/site/';
const LONG = 'x'.repeat(100_000);

function code(id: string, source: string, text = ''): nbformat.ICell {
  const outputs = text ? [{ output_type: 'stream', name: 'stdout', text }] : [];
  return { cell_type: 'code', id, source, metadata: {}, execution_count: null, outputs };
}

function notebook(...cells: nbformat.ICell[]): nbformat.INotebookContent {
  return { nbformat: 4, nbformat_minor: 5, metadata: {}, cells };
}

let files: MemoryFiles;
let locks: MemoryLocks;
let history: History;

beforeEach(() => {
  files = new MemoryFiles();
  locks = new MemoryLocks();
  history = new History(files, locks, SITE);
});

const keep = (content: nbformat.INotebookContent, time?: number, path = 'lab.ipynb') =>
  history.keep(path, content, { kind: 'saved', time });

describe('the history', () => {
  it('gives every version back as it was', async () => {
    const states = [
      notebook(code('a', '1')),
      notebook(code('a', '2', LONG), code('b', 'b')),
      notebook(code('b', 'ü\n')),
    ];
    for (const [i, state] of states.entries()) {
      await keep(state, 1000 + i);
    }
    const versions = await history.versions('lab.ipynb');
    expect(await Promise.all(versions.map(id => history.read(id)))).toEqual([...states].reverse());
    const infos = await Promise.all(versions.map(id => history.info(id)));
    expect(infos.map(info => [info!.time, info!.changed, info!.cells])).toEqual([
      [1002, 2, 1],
      [1001, 2, 2],
      [1000, null, 1],
    ]);
  });

  it('keeps a state once, whichever page saves it and whatever the kernel', async () => {
    await keep(notebook(code('a', '1')), 1);
    const same = { ...notebook(code('a', '1')), metadata: { kernelspec: { name: 'x', display_name: 'x' } } };
    same.cells[0].metadata = { trusted: true };
    expect(await keep(same, 2)).toBeNull();
    expect(await new History(files, locks, SITE).keep('lab.ipynb', same, { kind: 'saved' })).toBeNull();
    expect(await history.versions('lab.ipynb')).toHaveLength(1);
  });

  it('gives a state the results of its checks, also if it was saved before', async () => {
    const counts = { pass: 1, fail: 0, error: 0 };
    const state = notebook(code('a', '1', LONG));
    await history.keep('a', state, { kind: 'saved' });
    await history.keep('a', state, { kind: 'saved', counts });
    const [id, ...others] = await history.versions('a');
    expect([others, (await history.info(id))!.counts]).toEqual([[], counts]);
    await history.note('a', 'another state', { ...counts, fail: 1 });
    expect((await history.info(id))!.counts).toEqual(counts);
    expect(await history.read(id)).toEqual(state);
  });

  it('stores long outputs once', async () => {
    const random = Array.from({ length: 20_000 }, (_, i) => ((i * 7919) % 65_521).toString(36)).join('');
    await keep(notebook(code('a', '1', random)), 1);
    const first = files.bytes;
    for (let i = 0; i < 10; i++) {
      await keep(notebook(code('a', `1 + ${i}`, random)), 2 + i);
    }
    expect(files.bytes - first).toBeLessThan(first / 2);
  });

  it('follows a notebook that is renamed', async () => {
    await keep(notebook(code('a', 'old')), 1);
    await history.renamed('lab.ipynb', 'new.ipynb');
    await keep(notebook(code('a', 'new')), 2, 'new.ipynb');
    const sources = (await history.versions('new.ipynb')).map(async id => (await history.read(id))!.cells[0].source);
    expect(await Promise.all(sources)).toEqual(['new', 'old']);
    expect((await history.documents()).map(({ path }) => path).sort()).toEqual(['lab.ipynb', 'new.ipynb']);
  });

  it('finds the notebooks of another site of the same origin', async () => {
    await keep(notebook(code('a', '1')), 1);
    const [other] = await new History(files, locks, '/moved/').documents();
    expect([other.site, other.path]).toEqual([SITE, 'lab.ipynb']);
    const [version] = await history.versionsOf(other.document);
    expect((await new History(files, locks, '/moved/').read(version))!.cells[0].source).toBe('1');
  });

  it('passes over what is damaged, and gives cells whose outputs are lost', async () => {
    await keep(notebook(code('a', 'one')), 1);
    await keep(notebook(code('a', 'two', LONG)), 2);
    for (const [path, data] of files.files) {
      if (path.includes('/parts/') || path.includes('000000000000001-')) {
        files.files.set(path, data.slice(0, data.length / 2));
      }
    }
    const [second, first] = await history.versions('lab.ipynb');
    expect(await history.read(first)).toBeNull();
    expect(await history.info(first)).toBeNull();
    expect((await history.read(second))!.cells).toEqual([{ ...code('a', 'two'), outputs: [] }]);
    expect(await keep(notebook(code('a', 'three')), 3)).not.toBeNull();
  });

  it('removes old versions and their parts when it is too big, but no newest version', async () => {
    const small = new History(files, locks, SITE, 60_000);
    const text = (seed: number): string =>
      Array.from({ length: 4000 }, (_, i) => Math.abs(Math.sin(seed * 5000 + i)).toString(36)).join('');
    await small.keep('other.ipynb', notebook(code('a', 'other', text(0))), { kind: 'saved', time: 1 });
    const now = Date.now();
    for (let i = 1; i <= 20; i++) {
      await small.keep('lab.ipynb', notebook(code('a', `${i}`, text(i))), { kind: 'saved', time: now - 1000 + i });
    }
    const [newest] = await small.versions('lab.ipynb');
    expect((await small.read(newest))!.cells[0]).toEqual(code('a', '20', text(20)));
    expect(await small.versions('other.ipynb')).toHaveLength(1);
    const count = (await small.versions('lab.ipynb')).length;
    expect(count).toBeLessThan(4);
    expect([...files.files.keys()].filter(path => path.includes('/parts/'))).toHaveLength(count + 1);
  });
});

describe('superfluous versions', () => {
  const DAY = 86_400_000;
  const NOW = 20_000 * DAY + DAY / 2;
  const left = (ages: number[], isMarked = false): number[] => {
    const all = ages.map(age => ({ time: NOW - age, isMarked }));
    const gone = new Set(superfluous(all, NOW));
    return all.filter(one => !gone.has(one)).map(one => NOW - one.time);
  };

  it.each([
    ['all of the last hour', [0, 1000, 2000, 3_000_000], [0, 1000, 2000, 3_000_000]],
    ['one in ten minutes of the last day', [0, 7_200_001, 7_260_000, 7_800_001], [0, 7_200_001, 7_800_001]],
    ['one a day of two months', [0, 20 * DAY, 20 * DAY + 1, 21 * DAY], [0, 20 * DAY, 20 * DAY + 1 - 1 + DAY]],
    ['the newest, however old', [900 * DAY], [900 * DAY]],
  ])('leave %s', (_, ages, expected) => expect(left(ages)).toEqual(expected));

  it('are none of those from before something replaced the notebook, for a month', () => {
    expect(left([0, 20 * DAY, 20 * DAY + 1], true)).toEqual([0, 20 * DAY, 20 * DAY + 1]);
    expect(left([0, 40 * DAY, 40 * DAY + 1], true)).toEqual([0, 40 * DAY]);
  });

  it('are chosen alike, however often they are chosen', () => {
    const all = Array.from({ length: 5000 }, (_, i) => ({ time: NOW - i * i * 600, isMarked: i % 17 === 0 }));
    const gone = new Set(superfluous(all, NOW));
    const once = all.filter(one => !gone.has(one));
    expect(once.length).toBeLessThanOrEqual(200);
    expect(once.length).toBeGreaterThan(100);
    expect(superfluous(once, NOW)).toEqual([]);
  });
});

describe('drafts', () => {
  it('are left by pages that have ended, newest first, and not by those that live', async () => {
    for (const [page, time] of [
      ['first', 1],
      ['second', 2],
      ['third', 3],
    ] as const) {
      await new Drafts(files, locks, SITE, page).write({
        time,
        path: 'lab.ipynb',
        base: 'b',
        notebook: notebook(code('a', page)),
      });
    }
    locks.names.delete('browsergrad-page-first');
    locks.names.delete('browsergrad-page-third');
    const drafts = new Drafts(files, locks, SITE, 'fourth');
    const left = await drafts.left('lab.ipynb');
    expect(left.map(({ draft }) => draft.notebook.cells[0].source)).toEqual(['third', 'first']);
    expect(await drafts.isEditedElsewhere('lab.ipynb')).toBe(true);
    await Promise.all(left.map(one => one.discard()));
    expect(await drafts.left('lab.ipynb')).toEqual([]);
    expect(await drafts.left('other.ipynb')).toEqual([]);
  });

  it('leave out long outputs, which the saved notebook has if the code is the same', async () => {
    const cells = [code('a', 'same', LONG), code('b', 'changed', LONG), code('c', 'short', 'text')];
    await new Drafts(files, locks, SITE, 'gone').write({ time: 1, path: 'p', base: '', notebook: notebook(...cells) });
    expect(files.bytes).toBeLessThan(1000);
    locks.names.clear();
    const [{ draft }] = await new Drafts(files, locks, SITE, 'now').left('p');
    const saved = notebook(code('a', 'same', LONG), code('b', 'before', LONG));
    const { cells: whole } = completeDraft(draft.notebook, saved);
    expect(whole).toEqual([cells[0], code('b', 'changed'), cells[2]]);
  });
});
