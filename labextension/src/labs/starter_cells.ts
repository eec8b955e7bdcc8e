/**
 * Turns starter code into cells: the cells of a notebook, or one cell for each `# %%` of a Python file.
 */
import type * as nbformat from '@jupyterlab/nbformat';

type NewCell = Pick<nbformat.ICell, 'source'> & { cell_type: string; metadata: nbformat.ICell['metadata'] };

const MARKER = /^# %%.*$/;

/** @param fileName - its extension says whether `text` is a notebook. */
export function starterCells(text: string, fileName: string): NewCell[] {
  if (fileName.toLowerCase().endsWith('.ipynb')) {
    const { cells } = JSON.parse(text) as nbformat.INotebookContent;
    return cells.map(({ cell_type, source, metadata }) => ({
      cell_type: cell_type as string,
      source,
      metadata: { ...metadata },
    }));
  }
  const parts: { markdown: boolean; lines: string[] }[] = [{ markdown: false, lines: [] }];
  for (const line of text.split(/\r?\n/)) {
    if (MARKER.test(line)) {
      parts.push({ markdown: /\[(markdown|md)\]/.test(line), lines: [] });
    } else {
      parts[parts.length - 1].lines.push(line);
    }
  }
  return parts
    .map(({ markdown, lines }) => ({
      cell_type: markdown ? 'markdown' : 'code',
      source: (markdown ? lines.map(line => line.replace(/^# ?/, '')) : lines).join('\n').trim(),
      metadata: {},
    }))
    .filter(cell => cell.source !== '');
}

/** Returns the cell with all fields that a notebook's model requires. */
export function complete(cell: NewCell | nbformat.ICell): nbformat.ICell {
  return cell.cell_type === 'code' ? { ...cell, outputs: [], execution_count: null } : cell;
}

/** Matches the name of a function, class or variable defined at the top level of a cell. */
const DEFINED = /^(?:(?:async +)?def|class) +(\w+)|^(\w+) *(?::[^=\n]+)?=(?!=)/gm;

/** Returns the names that a cell defines, if it holds code. */
function namesIn(cell: Pick<nbformat.ICell, 'cell_type' | 'source'>): string[] {
  const found = cell.cell_type === 'code' ? textOf(cell).matchAll(DEFINED) : [];
  return [...found].map(([, defined, assigned]) => defined ?? assigned);
}

function textOf({ source }: Pick<nbformat.ICell, 'source'>): string {
  return Array.isArray(source) ? source.join('') : source;
}

/**
 * Returns a notebook's cells. The starter's cells replace those that define the same names or have the same text.
 *
 * This is for notebooks whose original is unknown. Text cells and other code stay where they are, without outputs. A starter cell
 * that matches no cell goes before the next starter cell that does, else to the end.
 */
export function begunAnew(cells: readonly nbformat.ICell[], starter: readonly NewCell[]): nbformat.ICell[] {
  const ofName = new Map<string, number>();
  const ofText = new Map<string, number>();
  starter.forEach((cell, i) => {
    ofText.set(textOf(cell), i);
    namesIn(cell).forEach(name => ofName.set(name, i));
  });
  const placeIn = (cell: nbformat.ICell): number | undefined => {
    const name = namesIn(cell).find(one => ofName.has(one));
    return ofText.get(textOf(cell)) ?? (name === undefined ? undefined : ofName.get(name));
  };
  const result: nbformat.ICell[] = [];
  let used = 0;
  const use = (end: number): void => {
    result.push(...starter.slice(used, end).map(complete));
    used = Math.max(used, end);
  };
  for (const cell of cells) {
    const place = placeIn(cell);
    if (place === undefined) {
      result.push(complete(cell));
    } else {
      use(place + 1);
    }
  }
  use(starter.length);
  return result;
}
