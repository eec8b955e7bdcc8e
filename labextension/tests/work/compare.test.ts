import type * as nbformat from '@jupyterlab/nbformat';
import { describe, expect, it } from 'vitest';

import { changedCells, compareCells, sourceOf } from '../../src/work/compare';

/** A notebook of cells that are written as `id: source`. */
function notebook(...cells: string[]): { cells: nbformat.ICell[] } {
  return {
    cells: cells.map(cell => {
      const [id, source] = cell.split(': ');
      return { cell_type: 'code', id, source, metadata: {}, outputs: [], execution_count: null } as nbformat.ICell;
    }),
  };
}

describe('two states of a notebook', () => {
  it.each([
    [['a: 1', 'b: 2'], ['a: 1', 'b: 2'], ['same 1', 'same 2'], 0],
    [['a: 1', 'b: 2'], ['a: 1', 'b: 3'], ['same 1', 'source 2>3'], 1],
    [['a: 1'], ['a: 1', 'b: 2'], ['same 1', 'added 2'], 1],
    [['a: 1', 'b: 2', 'c: 3'], ['a: 1', 'c: 3'], ['same 1', 'removed 2', 'same 3'], 1],
    [['a: long text', 'b: 2'], ['x: long text', 'b: 2'], ['same long text', 'same 2'], 0],
    [[], ['a: 1'], ['added 1'], 1],
    [['a: 1'], [], ['removed 1'], 1],
  ])('%j and %j', (before, after, expected, changed) => {
    const told = compareCells(notebook(...before), notebook(...after)).map(({ kind, was, is }) => {
      const [old, now] = [was && sourceOf(was), is && sourceOf(is)];
      return `${kind} ${old !== null && now !== null && old !== now ? `${old}>${now}` : (now ?? old)}`;
    });
    expect(told).toEqual(expected);
    expect(changedCells(notebook(...before), notebook(...after))).toBe(changed);
  });

  it('may differ in outputs alone, which is no change of a cell', () => {
    const after = notebook('a: 1');
    after.cells[0].outputs = [{ output_type: 'stream', name: 'stdout', text: 'x' }];
    expect(compareCells(notebook('a: 1'), after).map(({ kind }) => kind)).toEqual(['outputs']);
    expect(changedCells(notebook('a: 1'), after)).toBe(0);
  });
});
