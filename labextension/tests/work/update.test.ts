import type * as nbformat from '@jupyterlab/nbformat';
import { describe, expect, it } from 'vitest';

import { sourceOf } from '../../src/work/compare';
import { updateNotebook } from '../../src/work/update';

const TEXTS = { removed: 'GONE', conflict: 'NEW' };

/**
 * A cell in short: `a=1` is code with the id `a`, `#a=Text` is text, `*a=1` an answer and `!a=1` a test in nbgrader's form (their ids
 * are random), `-=1` is code without an id.
 */
function cell(short: string): nbformat.ICell {
  const [, kind, name, source] = /^([#*!]?)([^=]*)=([\s\S]*)$/.exec(short)!;
  const isGraded = kind === '*' || kind === '!';
  const nbgrader = { grade_id: name, solution: kind === '*', locked: kind === '!', grade: kind === '!' };
  const made = {
    cell_type: kind === '#' ? 'markdown' : 'code',
    source,
    metadata: isGraded ? { nbgrader } : {},
    ...(name === '-' ? {} : { id: isGraded ? crypto.randomUUID() : name }),
  };
  return made.cell_type === 'code' ? { ...made, outputs: [], execution_count: null } : made;
}

const notebook = (shorts: readonly string[], metadata = {}): nbformat.INotebookContent => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata,
  cells: shorts.map(cell),
});

const update = (base: string[] | null, mine: string[], site: string[]) =>
  updateNotebook(base && notebook(base), notebook(mine), notebook(site), TEXTS);

/** What is expected: sources in order, and the new texts of conflicts. `mine` and `site` mean those notebooks. */
type Case = [
  name: string,
  base: string[] | null,
  mine: string[],
  site: string[],
  expected: string[],
  conflicts?: string[],
];

const CASES: Case[] = [
  // Nothing to do.
  ['nothing has changed', ['a=1'], ['a=1'], ['a=1'], ['1']],
  ['an answer, and the lab is the same', ['a=0'], ['a=1'], ['a=0'], ['1']],
  ['an empty lab', [], [], [], []],
  ['own cells alone', [], ['x=1', 'y=2'], [], ['1', '2']],
  // Given cells change.
  ['a given text is new', ['#a=Old'], ['#a=Old'], ['#a=New'], ['New']],
  ['given code is new', ['a=1'], ['a=1'], ['a=2'], ['2']],
  ['a starter that nobody has touched is new', ['*g=0'], ['*g=0'], ['*g=start'], ['start']],
  ['a test is new', ['!t=1'], ['!t=1'], ['!t=2'], ['2']],
  ['a given text becomes code', ['#a=x'], ['#a=x'], ['a=x'], ['x', 'GONE', 'x']],
  ['all given cells are new', ['#a=A', 'b=1'], ['#a=A', 'b=1'], ['#a=B', 'b=2'], ['B', '2']],
  // Answers stay.
  ['an answer by its grade_id', ['*g=0'], ['*g=42'], ['*g=0'], ['42']],
  ['an answer under a new text', ['#a=Old', '*g=0'], ['#a=Old', '*g=42'], ['#a=New', '*g=0'], ['New', '42']],
  ['an answer whose place is new', ['*g=0', '#a=A'], ['*g=42', '#a=A'], ['#a=A', '*g=0'], ['A', '42']],
  ['an answer whose starter is new', ['*g=0'], ['*g=42'], ['*g=1'], ['42', 'NEW\n\n1'], ['1']],
  ['an emptied answer', ['*g=0'], ['*g='], ['*g=0'], ['']],
  ['two answers that change places', ['*g=0', '*h=0'], ['*g=1', '*h=2'], ['*h=0', '*g=0'], ['2', '1']],
  // Ids that are numbers shift.
  [
    'a text is put in before, and ids shift',
    ['#1=A', '2=0'],
    ['#1=A', '2=42'],
    ['#1=A', '#2=Hint', '3=0'],
    ['A', 'Hint', '42'],
  ],
  [
    'an answer is found by the name that it defines',
    ['1=def f(): ...', '2=def g(): ...'],
    ['1=def f(): 1', '2=def g(): 2'],
    ['1=def new(): ...', '2=def f(): pass', '3=def g(): ...'],
    ['def new(): ...', 'def f(): 1', 'NEW\n\ndef f(): pass', 'def g(): 2'],
    ['def f(): pass'],
  ],
  [
    'a cell is taken out, and ids shift',
    ['1=a', '2=b', '3=c'],
    ['1=a', '2=b!', '3=c'],
    ['1=b', '2=c'],
    ['b!', 'c', 'GONE', 'a'],
  ],
  // Conflicts.
  ['both sides changed a text', ['#a=A'], ['#a=Mine'], ['#a=New'], ['Mine', 'NEW\n\nNew'], ['New']],
  ['both sides made the same change', ['a=1'], ['a=2'], ['a=2'], ['2']],
  ['both sides changed a test', ['!t=1'], ['!t=mine'], ['!t=2'], ['mine', 'NEW\n\n2'], ['2']],
  // Removed cells.
  ['a given cell is removed', ['a=1', 'b=2'], ['a=1', 'b=2'], ['b=2'], ['2', 'GONE', '1']],
  ['an answer is removed', ['*g=0', 'b=2'], ['*g=42', 'b=2'], ['b=2'], ['2', 'GONE', '42']],
  ['all cells are removed', ['a=1'], ['a=1', 'x=own'], [], ['own', 'GONE', '1']],
  ['a removed cell that the student has deleted', ['a=1', 'b=2'], ['b=2'], ['b=2'], ['2']],
  // Cells that the student has deleted.
  ['a deleted cell that is the same', ['a=1', 'b=2'], ['b=2'], ['a=1', 'b=2'], ['2']],
  ['a deleted cell that has changed', ['a=1', 'b=2'], ['b=2'], ['a=3', 'b=2'], ['3', '2']],
  // New cells.
  ['a cell is new at the start', ['a=1'], ['a=1'], ['n=0', 'a=1'], ['0', '1']],
  ['a cell is new in the middle', ['a=1', 'b=2'], ['a=1', 'b=x'], ['a=1', 'n=0', 'b=2'], ['1', '0', 'x']],
  ['a cell is new at the end', ['a=1'], ['a=1', 'x=own'], ['a=1', 'n=0'], ['1', 'own', '0']],
  // The student's own cells.
  [
    'an own cell stays behind its neighbour',
    ['a=1', 'b=2'],
    ['a=1', 'x=own', 'b=2'],
    ['b=2', 'a=1'],
    ['2', '1', 'own'],
  ],
  ['an own cell at the start', ['a=1'], ['x=own', 'a=1'], ['a=2'], ['own', '2']],
  ['an own cell behind a removed one', ['a=1', 'b=2'], ['a=1', 'b=2', 'x=own'], ['a=1'], ['1', 'own', 'GONE', '2']],
  [
    'an own cell like a new one',
    ['a=1'],
    ['a=1', 'x=def f(): 1'],
    ['a=1', 'n=def f(): ...'],
    ['1', 'def f(): 1', 'NEW\n\ndef f(): ...'],
    ['def f(): ...'],
  ],
  ['own cells that are alike', ['a=1'], ['x=1', 'a=1', 'y=1'], ['a=1'], ['1', '1', '1']],
  // Without ids.
  ['no ids', ['-=1', '-=2'], ['-=1', '-=2'], ['-=1', '-=3', '-=2'], ['1', '3', '2']],
  // What the student began with is not known.
  ['no base: the same', null, ['a=1', 'x=own'], ['a=1'], ['1', 'own']],
  ['no base: an answer', null, ['*g=42'], ['*g=0'], ['42']],
  ['no base: a test', null, ['!t=1'], ['!t=2'], ['2']],
  ['no base: a text', null, ['#a=Old'], ['#a=New'], ['Old', 'NEW\n\nNew'], ['New']],
  ['no base: an answer is removed', null, ['*g=42', 'x=own'], [], ['own', 'GONE', '42']],
  ['no base: a cell is new', null, ['*g=42'], ['#n=Hint', '*g=0'], ['Hint', '42']],
];

describe('an update', () => {
  it.each(CASES)('of %s', (_, base, mine, site, expected, conflicts = []) => {
    const result = update(base, mine, site);
    expect(result.notebook.cells.map(sourceOf)).toEqual(expected);
    expect(result.conflicts.map(one => one.site)).toEqual(conflicts);
    expect(new Set(result.notebook.cells.map(({ id }) => id)).size).toBe(expected.length);
  });

  it('has at least forty cases', () => expect(CASES.length).toBeGreaterThanOrEqual(40));

  it('keeps outputs of answers, takes the new metadata, and shows conflicts as text that does not run', () => {
    const [base, mine, site] = ['0', '1', '2'].map(source => notebook([`*g=${source}`], { browsergrad: { source } }));
    mine.metadata.kernelspec = { name: 'mine', display_name: 'mine' };
    mine.cells[0].outputs = [{ output_type: 'stream', name: 'stdout', text: 'x' }];
    (site.cells[0].metadata as { points?: number }).points = 3;
    const { notebook: made } = updateNotebook(base, mine, site, TEXTS);
    expect(made.cells[0]).toMatchObject({ outputs: mine.cells[0].outputs, metadata: { points: 3 } });
    expect(made.cells[1].cell_type).toBe('raw');
    expect(made.metadata).toMatchObject({ kernelspec: { name: 'mine' }, browsergrad: { source: '2' } });
  });
});

/** Numbers from 0 to 1 that a seed determines (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('whatever both sides do', () => {
  const KINDS = ['', '#', '*', '!'];

  /** A lab, what a student made of it, and its new version. Texts and ids are often alike. */
  function make(next: () => number): { base: string[]; mine: string[]; site: string[]; answers: string[] } {
    const pick = (n: number): number => Math.floor(next() * n);
    const text = (): string => ['', '1', 'def f(): ...', 'def g(): ...', `${pick(5)}`][pick(5)];
    const cells = (n: number): string[] => Array.from({ length: n }, (_, i) => `${KINDS[pick(4)]}${i}=${text()}`);
    const base = cells(pick(7));
    const answers: string[] = [];
    let count = 0;
    const answer = (): string => {
      const made = ['', 'def f(): ', 'def g(): '][pick(3)] + `answer ${count++}`;
      answers.push(made);
      return made;
    };
    const mine = base.flatMap(one => {
      const name = one.slice(0, one.indexOf('='));
      const ways = [() => [one], () => [`${name}=${answer()}`], () => [], () => [one, `own${count}=${answer()}`]];
      return ways[pick(4)]();
    });
    const site = base.flatMap(one => {
      const name = one.slice(0, one.indexOf('='));
      return [[one], [one], [`${name}=${text()} new`], [], [`n${pick(9)}=${text()}`, one]][pick(5)];
    });
    const shuffled = pick(4) ? site : site.sort(() => next() - 0.5);
    return { base, mine, site: shuffled, answers };
  }

  const count = (all: readonly nbformat.ICell[], source: string): number =>
    all.filter(one => sourceOf(one) === source).length;

  it.each([true, false])(
    'no answer changes or goes, and a second update finds nothing new (base is known: %s)',
    isKnown => {
      for (let seed = 0; seed < 400; seed++) {
        const { base, mine, site, answers } = make(random(seed));
        const [was, has, is] = [notebook(base), notebook(mine), notebook(site)];
        const before = JSON.stringify([was, has, is]);
        const { notebook: made } = updateNotebook(isKnown ? was : null, has, is, TEXTS);
        expect(JSON.stringify([was, has, is]), 'the arguments are left alone').toBe(before);
        for (const answer of answers) {
          // A test that the student has changed is given back by the lab if nobody knows what it was.
          const isTest = mine.some(one => one.startsWith('!') && one.endsWith(`=${answer}`));
          if (isKnown || !isTest) {
            expect(count(made.cells, answer), `seed ${seed}: ${answer}`).toBe(1);
          }
        }
        if (isKnown) {
          const again = updateNotebook(is, made, is, TEXTS);
          // Cells that are alike may change places.
          expect(again.notebook.cells.map(sourceOf).sort(), `seed ${seed}`).toEqual(made.cells.map(sourceOf).sort());
          expect([again.changed, again.conflicts], `seed ${seed}`).toEqual([0, []]);
        }
      }
    },
  );
});
