/**
 * Uploads of long files to the browser's storage.
 *
 * JupyterLab uploads in chunks of 1 MB. JupyterLite reads and writes the whole file again for each of them, so that the time grows with
 * the square of the length. Here the chunks are kept, and the file is stored once.
 */
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { fromBase64, toBase64 } from '../runtime/base64';
import { concat } from '../runtime/bytes';

type Save = Contents.IManager['save'];

/** The number that marks the last chunk. */
const LAST = -1;

/** Replaces `contents.save`, so that it stores a file that arrives in chunks once the last one is there. */
export function storeUploadsOnce(
  contents: Pick<Contents.IManager, 'save' | 'driveName'>,
  trans: TranslationBundle,
): void {
  const save: Save = contents.save.bind(contents);
  /** The chunks of unfinished uploads, by path. */
  const begun = new Map<string, Uint8Array[]>();
  contents.save = async (path, options = {}) => {
    const { chunk, content, ...model } = options;
    if (chunk === 1) {
      begun.delete(path);
      if (isStoredOnce(contents, path, options)) {
        begun.set(path, []);
      }
    }
    const chunks = chunk ? begun.get(path) : undefined;
    if (!chunks) {
      return save(path, options);
    }
    chunks.push(fromBase64(content as string));
    if (chunk !== LAST) {
      return { ...model, path } as Contents.IModel; // JupyterLab only looks at the last one
    }
    begun.delete(path);
    const whole = concat(chunks);
    try {
      return await save(path, { ...model, content: toBase64(whole) });
    } catch (error) {
      throw inPlainWords(error, PathExt.basename(path), whole.length, trans);
    }
  };
}

const MB = 1_000_000;

/** Chromium stores at most 127 MiB as one value, which are 99 MB of a file, and says so in terms of its storage. */
function inPlainWords(error: unknown, name: string, length: number, trans: TranslationBundle): unknown {
  const max = /too large.*max=(\d+)/.exec(String(error))?.[1];
  if (!max) {
    return error;
  }
  const most = Math.floor((Number(max) * 3) / 4 / MB);
  return new Error(
    trans.__(
      '%1 has %2 MB. This browser can store files of up to %3 MB: upload it in parts, or compressed.',
      name,
      Math.ceil(length / MB),
      most,
    ),
  );
}

/** Notebooks and files of other drives are left to JupyterLite. */
function isStoredOnce(
  contents: Pick<Contents.IManager, 'driveName'>,
  path: string,
  { format }: Partial<Contents.IModel>,
): boolean {
  return format === 'base64' && contents.driveName(path) === '' && PathExt.extname(path).toLowerCase() !== '.ipynb';
}
