/**
 * Brings a lab's new version into a student's notebook. What the student wrote never changes.
 *
 * | cell of the notebook | in the new version | becomes |
 * |---|---|---|
 * | as the lab gave it | changed | the new one |
 * | as the lab gave it, or changed | the same | what it is |
 * | changed by the student | changed as well | what it is; the new one is put below as text that does not run: a conflict |
 * | of the lab | not there | what it is, at the end |
 * | the student's own | | what it is, behind its neighbour |
 * | not there | new | the new one, at its place |
 */
import type * as nbformat from '@jupyterlab/nbformat';

import { sourceOf } from './compare';

type Cell = nbformat.ICell;
type Notebook = nbformat.INotebookContent;

export interface Conflict {
  /** What the student has. */
  mine: string;
  /** What the new version has in its place. */
  site: string;
}

export interface UpdateResult {
  notebook: Notebook;
  /** Cells that the lab gave and that are new now. */
  changed: number;
  added: number;
  /** Cells that the new version does not have, and that are at the end now. */
  moved: number;
  conflicts: Conflict[];
}

export interface UpdateTexts {
  /** Heading of the cells at the end. */
  removed: string;
  /** First line of a cell that shows what the new version has. */
  conflict: string;
}

/** How the student's cell relates to what the lab gave. */
type Authorship = 'given' | 'edited' | 'unknown';

/**
 * @param base - the lab's notebook as the student began with it; null if that is not known. A cell then counts as given only if
 * its metadata say that students cannot edit it.
 * @param whole - the student's notebook.
 * @param site - the lab's notebook now.
 */
export function updateNotebook(
  base: Notebook | null,
  whole: Notebook,
  site: Notebook,
  texts: UpdateTexts,
): UpdateResult {
  // What an earlier update has put at the end stays there.
  const end = whole.cells.findIndex(cell => markOf(cell) === 'removed');
  const last = end < 0 ? [] : whole.cells.slice(end);
  const mine = end < 0 ? whole : { ...whole, cells: whole.cells.slice(0, end) };
  const baseOfMine = base ? pairCells(mine.cells, base.cells, true) : mine.cells.map(() => null);
  const baseOfSite = base ? pairCells(site.cells, base.cells, false) : site.cells.map(() => null);
  const mineOfSite = matchThrough(baseOfMine, baseOfSite);
  pairTheRest(mine, site, baseOfMine, baseOfSite, mineOfSite);

  const matched = new Set(mineOfSite.filter(one => one !== null));
  const isGone = (i: number): boolean =>
    !matched.has(i) && (baseOfMine[i] !== null || (!base && isMarked(mine.cells[i])));
  const own = new Map<number, Cell[]>();
  const gone: Cell[] = [];
  let anchor = -1;
  mine.cells.forEach((cell, i) => {
    if (matched.has(i)) {
      anchor = i;
    } else if (isGone(i)) {
      gone.push(cell);
    } else {
      own.set(anchor, [...(own.get(anchor) ?? []), cell]);
    }
  });

  const result: UpdateResult = { notebook: mine, changed: 0, added: 0, moved: gone.length, conflicts: [] };
  const cells: Cell[] = [...(own.get(-1) ?? [])];
  site.cells.forEach((is, s) => {
    const m = mineOfSite[s];
    const was = baseOfSite[s] === null ? null : base!.cells[baseOfSite[s]];
    if (m !== null) {
      const at = baseOfMine[m];
      cells.push(...merged(mine.cells[m], is, base && at !== null ? base.cells[at] : null, texts, result));
      cells.push(...(own.get(m) ?? []));
    } else if (!was || !isSame(was, is)) {
      // What the student has deleted comes back only if it has changed.
      cells.push(is);
      result.added++;
    }
  });
  cells.push(...last);
  if (gone.length && !last.length) {
    cells.push(textCell('markdown', texts.removed, 'removed'));
  }
  cells.push(...gone);
  result.notebook = withIds({
    ...mine,
    metadata: {
      ...mine.metadata,
      ...(site.metadata.browsergrad === undefined ? {} : { browsergrad: site.metadata.browsergrad }),
    },
    nbformat_minor: Math.max(mine.nbformat_minor, site.nbformat_minor),
    cells,
  });
  return result;
}

/** Returns what a cell becomes that both notebooks have. */
function merged(mine: Cell, is: Cell, base: Cell | null, texts: UpdateTexts, result: UpdateResult): Cell[] {
  if (isSame(mine, is)) {
    return [{ ...mine, metadata: { ...mine.metadata, ...is.metadata }, ...idOf(is) }];
  }
  const authorship = authorshipOf(mine, base);
  if (authorship === 'given') {
    result.changed++;
    return [is];
  }
  const kept = { ...mine, metadata: { ...mine.metadata, ...is.metadata }, ...idOf(is) };
  if (authorship === 'edited' && (base ? isSame(base, is) : true)) {
    return [kept];
  }
  result.conflicts.push({ mine: sourceOf(mine), site: sourceOf(is) });
  return [kept, textCell('raw', `${texts.conflict}\n\n${sourceOf(is)}`, 'conflict')];
}

function authorshipOf(mine: Cell, base: Cell | null): Authorship {
  if (base) {
    return isSame(mine, base) ? 'given' : 'edited';
  }
  const { nbgrader, editable, browsergrad } = marksOf(mine);
  if (nbgrader?.solution || nbgrader?.task || browsergrad?.manual) {
    return 'edited';
  }
  return editable === false || (nbgrader && nbgrader.locked !== false) ? 'given' : 'unknown';
}

/** Returns for each cell of the new version the student's cell that comes from the same cell of the base. */
function matchThrough(baseOfMine: (number | null)[], baseOfSite: (number | null)[]): (number | null)[] {
  const mineOfBase = new Map(baseOfMine.flatMap((b, m) => (b === null ? [] : [[b, m] as const])));
  return baseOfSite.map(b => (b === null ? null : (mineOfBase.get(b) ?? null)));
}

/** Pairs what the base does not know, for example cells that an earlier update or the student has brought in. */
function pairTheRest(
  mine: Notebook,
  site: Notebook,
  baseOfMine: (number | null)[],
  baseOfSite: (number | null)[],
  mineOfSite: (number | null)[],
): void {
  const freeMine = [...mine.cells.keys()].filter(m => baseOfMine[m] === null);
  const freeSite = [...site.cells.keys()].filter(s => baseOfSite[s] === null);
  const pairs = pairCells(
    freeSite.map(s => site.cells[s]),
    freeMine.map(m => mine.cells[m]),
    false,
  );
  pairs.forEach((found, i) => {
    if (found !== null) {
      mineOfSite[freeSite[i]] = freeMine[found];
    }
  });
}

/**
 * Returns for each cell of `cells` the index of the cell of `others` that it was; null if there is none.
 *
 * Ids of cells are often numbers, which shift when a cell is put in. So they count only after all else, unless `areIdsSafe`.
 */
function pairCells(cells: readonly Cell[], others: readonly Cell[], areIdsSafe: boolean): (number | null)[] {
  const result: (number | null)[] = cells.map(() => null);
  const free = new Set(others.keys());
  const byKey = (keyOf: (cell: Cell) => string | null): void => {
    const places = new Map<string, number[]>();
    for (const i of free) {
      const key = keyOf(others[i]);
      if (key !== null) {
        places.set(key, [...(places.get(key) ?? []), i]);
      }
    }
    cells.forEach((cell, i) => {
      const key = result[i] === null ? keyOf(cell) : null;
      const found = key === null ? undefined : places.get(key)?.shift();
      if (found !== undefined) {
        result[i] = found;
        free.delete(found);
      }
    });
  };
  const id = (cell: Cell): string | null => (typeof cell.id === 'string' ? `${cell.cell_type} ${cell.id}` : null);
  byKey(gradeId);
  if (areIdsSafe) {
    byKey(id);
  }
  byKey(cell => (id(cell) === null ? null : `${id(cell)} ${sourceOf(cell)}`));
  byKey(cell => `${cell.cell_type} ${sourceOf(cell)}`);
  byKey(definedName);
  byKey(id);
  return result;
}

function gradeId(cell: Cell): string | null {
  const id = marksOf(cell).nbgrader?.grade_id;
  return typeof id === 'string' ? id : null;
}

/** Returns the first function or class that a code cell defines. */
function definedName(cell: Cell): string | null {
  const match = cell.cell_type === 'code' && /^(?:(?:async +)?def|class) +(\w+)/m.exec(sourceOf(cell));
  return match ? match[1] : null;
}

interface Marks {
  nbgrader?: { grade_id?: unknown; solution?: unknown; task?: unknown; locked?: unknown };
  editable?: unknown;
  browsergrad?: { update?: unknown; manual?: unknown };
}

function marksOf({ metadata }: Cell): Marks {
  return (metadata ?? {}) as Marks;
}

/** Whether the lab's author has marked the cell as a part of the lab. */
function isMarked(cell: Cell): boolean {
  const { nbgrader, editable } = marksOf(cell);
  return nbgrader !== undefined || editable === false;
}

function markOf(cell: Cell): unknown {
  return marksOf(cell).browsergrad?.update;
}

function isSame(a: Cell, b: Cell): boolean {
  return a.cell_type === b.cell_type && sourceOf(a) === sourceOf(b);
}

function idOf({ id }: Cell): { id?: string } {
  return typeof id === 'string' ? { id } : {};
}

function textCell(kind: 'markdown' | 'raw', source: string, mark: string): Cell {
  return { cell_type: kind, id: crypto.randomUUID(), source, metadata: { browsergrad: { update: mark } } };
}

/** Gives each cell an id of its own, or none in formats without ids. */
function withIds(notebook: Notebook): Notebook {
  const hasIds = notebook.nbformat > 4 || notebook.nbformat_minor >= 5;
  const used = new Set<string>();
  const cells = notebook.cells.map(({ id, ...cell }) => {
    if (!hasIds) {
      return cell;
    }
    const own = typeof id === 'string' && !used.has(id) ? id : crypto.randomUUID();
    used.add(own);
    return { ...cell, id: own };
  });
  return { ...notebook, cells: cells as Cell[] };
}
