/**
 * Downloads from the browser's storage.
 *
 * Files are stored as base64. JupyterLite decodes a file in one piece, and the page shows nothing in the meantime. Here it is decoded in
 * small pieces, by faster code, and the page says how far it is.
 */
import type { Contents } from '@jupyterlab/services';

import { fromBase64 } from '../runtime/base64';

/** Files from this length on, in bytes, are decoded in pieces. */
export const LONG_BYTES = 1 << 22;
/** Characters of base64 in a piece; a multiple of 4, since 4 characters are 3 bytes. */
const PIECE = 1 << 22;

/**
 * Replaces `contents.getDownloadUrl`.
 *
 * @param onProgress - gets a file's path and how much of it is ready, between 0 and 1; 1 at the end, also of a failed download.
 */
export function decodeDownloadsInPieces(
  contents: Pick<Contents.IManager, 'get' | 'getDownloadUrl' | 'driveName'>,
  onProgress: (path: string, fraction: number) => void,
): void {
  const original = contents.getDownloadUrl.bind(contents);
  contents.getDownloadUrl = async path => {
    if (contents.driveName(path) !== '' || !(await isLongAndStored(contents, path))) {
      return original(path);
    }
    return URL.createObjectURL(await fileOf(contents, path, onProgress));
  };
}

/** Returns the file at `path`, and says how far it is. Notebooks are laid out as JupyterLite does it. */
export async function fileOf(
  contents: Pick<Contents.IManager, 'get'>,
  path: string,
  onProgress: (path: string, fraction: number) => void,
): Promise<Blob> {
  try {
    onProgress(path, 0);
    const { type, format, mimetype, content } = await contents.get(path, { content: true });
    if (type === 'notebook' || format === 'json') {
      return new Blob([JSON.stringify(content, null, 2)], { type: mimetype });
    }
    return format === 'base64'
      ? await decoded(content as string, mimetype, fraction => onProgress(path, fraction))
      : new Blob([content as string], { type: mimetype });
  } finally {
    onProgress(path, 1);
  }
}

/** Only files in the browser's storage have a format before they are read. */
async function isLongAndStored(contents: Pick<Contents.IManager, 'get'>, path: string): Promise<boolean> {
  try {
    const { format, size } = await contents.get(path, { content: false });
    return format === 'base64' && (size ?? 0) >= LONG_BYTES;
  } catch {
    return false; // the original function reports what is wrong
  }
}

async function decoded(base64: string, type: string, onProgress: (fraction: number) => void): Promise<Blob> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let begin = 0; begin < base64.length; begin += PIECE) {
    parts.push(fromBase64(base64.slice(begin, begin + PIECE)));
    onProgress(Math.min(1, (begin + PIECE) / base64.length));
    await new Promise(resolve => setTimeout(resolve, 0)); // lets the page draw
  }
  return new Blob(parts, { type });
}
