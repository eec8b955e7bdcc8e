/**
 * Takes a notebook apart, so that versions of it share what they have in common: long outputs and attachments are stored once.
 */
import type * as nbformat from '@jupyterlab/nbformat';
import { JSONExt, type JSONObject } from '@lumino/coreutils';

import { hashOf } from './packing';

/** JSON of outputs or attachments from this length on is a part of its own, in characters. */
const MIN_PART_LENGTH = 4096;
const PART = 'browsergrad_part';
const SHARED_FIELDS = ['outputs', 'attachments'] as const;

export interface TakenApart {
  /** The notebook without its parts. */
  rest: nbformat.INotebookContent;
  /** Texts of the parts, by hash. */
  parts: Map<string, string>;
  /** What the notebook says, whatever its kernel and the state of its view. Equal notebooks have equal hashes. */
  hash: string;
}

export async function takeApart(notebook: nbformat.INotebookContent): Promise<TakenApart> {
  const parts = new Map<string, string>();
  const cells: nbformat.ICell[] = [];
  for (const cell of notebook.cells) {
    const short: Record<string, unknown> = { ...cell };
    for (const field of SHARED_FIELDS) {
      const text = cell[field] === undefined ? '' : JSON.stringify(cell[field]);
      if (text.length >= MIN_PART_LENGTH) {
        const hash = await hashOf(text);
        parts.set(hash, text);
        short[field] = { [PART]: hash };
      }
    }
    cells.push(short as nbformat.ICell);
  }
  const said = [cells, notebook.metadata.browsergrad];
  return {
    rest: { ...notebook, cells },
    parts,
    // What JupyterLab knows of a cell's trust depends on the page.
    hash: await hashOf(JSON.stringify(said, (key, value) => (key === 'trusted' ? undefined : value))),
  };
}

/** Returns what people write and run in a notebook, without its metadata. */
export function written({ cells }: nbformat.INotebookContent): string {
  return JSON.stringify(cells.map(({ cell_type, source, outputs }) => [cell_type, source, outputs]));
}

/** Whether two states of a notebook differ at most in what a kernel notes in the metadata when it starts, which makes it dirty. */
export function areSameButForKernel(a: nbformat.INotebookContent, b: nbformat.INotebookContent): boolean {
  const [first, second] = [a, b].map(({ metadata, cells }) => {
    const { kernelspec: _kernelspec, language_info: _language, ...others } = metadata;
    return { cells, others } as unknown as JSONObject;
  });
  return JSONExt.deepEqual(first, second);
}

/** Returns the hashes of the parts that a notebook needs. */
export function partsOf(rest: nbformat.INotebookContent): string[] {
  return rest.cells.flatMap(cell =>
    SHARED_FIELDS.flatMap(field => {
      const hash = partName(cell[field]);
      return hash === null ? [] : [hash];
    }),
  );
}

/**
 * Puts a notebook together. Outputs whose part is lost are left out; the cells stay.
 *
 * @param read - returns the text of a part; null if it is lost.
 */
export async function putTogether(
  rest: nbformat.INotebookContent,
  read: (hash: string) => Promise<string | null>,
): Promise<nbformat.INotebookContent> {
  const cells: nbformat.ICell[] = [];
  for (const cell of rest.cells) {
    const whole: Record<string, unknown> = { ...cell };
    for (const field of SHARED_FIELDS) {
      const hash = partName(cell[field]);
      if (hash !== null) {
        const text = await read(hash);
        whole[field] = text === null ? (field === 'outputs' ? [] : {}) : JSON.parse(text);
      }
    }
    cells.push(whole as nbformat.ICell);
  }
  return { ...rest, cells };
}

function partName(value: unknown): string | null {
  const hash = (value as Record<string, unknown> | undefined)?.[PART];
  return typeof hash === 'string' ? hash : null;
}
