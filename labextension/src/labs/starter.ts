/**
 * Starter code as cells of a notebook: of a notebook, its cells; of a Python file, one cell for each `# %%`.
 */
import type * as nbformat from '@jupyterlab/nbformat';

type NewCell = Pick<nbformat.ICell, 'source'> & { cell_type: string; metadata: nbformat.ICell['metadata'] };

const MARKER = /^# %%.*$/;

/** @param fileName - tells what `text` is. */
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

/** The cells with what a notebook's model needs of them. */
export function complete(cell: NewCell): nbformat.ICell {
  return cell.cell_type === 'code' ? { ...cell, outputs: [], execution_count: null } : cell;
}
