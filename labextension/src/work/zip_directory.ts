/**
 * Reads the directory of a zip file, to refuse what an unpacker should not even begin with.
 *
 * The fields are those of PKWARE's APPNOTE 6.3.10, sections 4.3.12 and 4.3.16.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

export interface ZipEntry {
  name: string;
  /** Length of the unpacked data, in bytes, as the directory says. */
  size: number;
  isLink: boolean;
  isEncrypted: boolean;
}

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
/** The comment at a zip file's end is at most so long. */
const MAX_COMMENT = 65_535;
const UNIX_TYPE = 0o170000;
const UNIX_LINK = 0o120000;
const UNIX_FILE = 0o100000;
const UNIX_FOLDER = 0o040000;

/** @throws Error if the directory is damaged. */
export function readZipDirectory(data: Uint8Array, trans: TranslationBundle): ZipEntry[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const end = findEnd(view, trans);
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (count === 0xffff || at === 0xffffffff) {
    throw new Error(trans.__('it is in the format for more than 65,534 files or 4 GB'));
  }
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const entries: ZipEntry[] = [];
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > end || view.getUint32(at, true) !== ENTRY) {
      throw new Error(trans.__('its directory is damaged'));
    }
    const [name, extra, comment] = [28, 30, 32].map(offset => view.getUint16(at + offset, true));
    const type = (view.getUint32(at + 38, true) >>> 16) & UNIX_TYPE;
    entries.push({
      name: decoder.decode(data.subarray(at + ENTRY_BYTES, at + ENTRY_BYTES + name)),
      size: view.getUint32(at + 24, true),
      isLink: type === UNIX_LINK || (type !== 0 && type !== UNIX_FILE && type !== UNIX_FOLDER),
      isEncrypted: (view.getUint16(at + 8, true) & 1) !== 0,
    });
    at += ENTRY_BYTES + name + extra + comment;
  }
  return entries;
}

function findEnd(view: DataView, trans: TranslationBundle): number {
  const first = Math.max(view.byteLength - END_BYTES - MAX_COMMENT, 0);
  for (let at = view.byteLength - END_BYTES; at >= first; at--) {
    if (view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength) {
      return at;
    }
  }
  throw new Error(trans.__('it is not a zip file, or its end is missing'));
}
