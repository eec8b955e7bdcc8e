/**
 * Compares two states of a notebook, cell by cell.
 */
import type * as nbformat from '@jupyterlab/nbformat';

type Notebook = Pick<nbformat.INotebookContent, 'cells'>;

/** A cell of either state. `was` is null for a new cell, `is` for one that is gone. */
export interface CellChange {
  kind: 'same' | 'source' | 'outputs' | 'added' | 'removed';
  was: nbformat.ICell | null;
  is: nbformat.ICell | null;
}

export function sourceOf({ source }: Pick<nbformat.ICell, 'source'>): string {
  return Array.isArray(source) ? source.join('') : source;
}

/** Compares cells pair by pair, in the order of the newer state; cells that are gone come where they were. */
export function compareCells(before: Notebook, after: Notebook): CellChange[] {
  const partners = pairCells(before.cells, after.cells);
  const taken = new Set(partners.filter(one => one !== null));
  const result: CellChange[] = [];
  let next = 0;
  const addGone = (end: number): void => {
    for (; next < end; next++) {
      if (!taken.has(next)) {
        result.push({ kind: 'removed', was: before.cells[next], is: null });
      }
    }
  };
  after.cells.forEach((is, i) => {
    const partner = partners[i];
    if (partner === null) {
      result.push({ kind: 'added', was: null, is });
      return;
    }
    addGone(partner);
    next = Math.max(next, partner + 1);
    const was = before.cells[partner];
    result.push({ kind: kindOf(was, is), was, is });
  });
  addGone(before.cells.length);
  return result;
}

/** Returns how many cells differ in their source, are new, or are gone. */
export function changedCells(before: Notebook, after: Notebook): number {
  return compareCells(before, after).filter(({ kind }) => kind !== 'same' && kind !== 'outputs').length;
}

function kindOf(was: nbformat.ICell, is: nbformat.ICell): CellChange['kind'] {
  if (sourceOf(was) !== sourceOf(is) || was.cell_type !== is.cell_type) {
    return 'source';
  }
  return JSON.stringify(was.outputs ?? []) === JSON.stringify(is.outputs ?? []) ? 'same' : 'outputs';
}

/**
 * Returns for each newer cell the index of the older one that it was; null if it is new.
 *
 * Cells are the same if they have the same id, else if they have the same type and text, in order. A cell without an id is also
 * the same as the older one behind its neighbour, if that has the same type and is not taken.
 */
function pairCells(before: readonly nbformat.ICell[], after: readonly nbformat.ICell[]): (number | null)[] {
  const ofId = new Map<unknown, number>();
  before.forEach((cell, i) => {
    if (typeof cell.id === 'string' && !ofId.has(cell.id)) {
      ofId.set(cell.id, i);
    }
  });
  const free = new Set(before.keys());
  const result = after.map(cell => {
    const found = typeof cell.id === 'string' ? ofId.get(cell.id) : undefined;
    return found !== undefined && free.delete(found) ? found : null;
  });
  const ofText = new Map<string, number[]>();
  for (const i of free) {
    ofText.set(textKey(before[i]), [...(ofText.get(textKey(before[i])) ?? []), i]);
  }
  after.forEach((cell, i) => {
    const found = result[i] ?? ofText.get(textKey(cell))?.shift() ?? null;
    result[i] = found;
    if (found !== null) {
      free.delete(found);
    }
  });
  after.forEach((cell, i) => {
    const neighbour = i ? result[i - 1] : -1;
    const place = neighbour === null ? -1 : neighbour + 1;
    if (
      result[i] === null &&
      cell.id === undefined &&
      before[place]?.cell_type === cell.cell_type &&
      free.delete(place)
    ) {
      result[i] = place;
    }
  });
  return result;
}

function textKey(cell: nbformat.ICell): string {
  return `${cell.cell_type} ${sourceOf(cell)}`;
}
