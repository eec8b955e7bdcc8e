/**
 * The file of *Download my work*: a zip file with the student's files and a list of their hashes.
 *
 * ```
 * browsergrad-work.json    what it is: ArchiveList
 * files/<path>             the files
 * ```
 */
import { unzipSync, zipSync } from 'fflate';

import { sha256Of } from '../runtime/bytes';
import { pathProblem } from '../runtime/manifest';
import { readZipDirectory } from './zip_directory';

export const LIST_NAME = 'browsergrad-work.json';
const FOLDER = 'files/';
export const MAX_FILES = 2000;
export const MAX_ARCHIVE_BYTES = 256 * 1024 * 1024;
/** Of all files unpacked. */
export const MAX_BYTES = 512 * 1024 * 1024;
const MAX_PATH_LENGTH = 1000;

export interface ArchiveFile {
  /** Relative to the folder that was downloaded. */
  path: string;
  data: Uint8Array;
}

export interface ArchiveAbout {
  /** Path of the folder that was downloaded. */
  folder: string;
  /** The lab, if the folder has one. */
  lab: { id: string; version: string } | null;
  /** Version of the runtime. */
  runtime: string;
  /** Results of the notebooks' checks, by path. */
  results: Record<string, { pass: number; fail: number; error: number }>;
  /** ISO 8601. */
  made_at: string;
}

interface ArchiveList extends ArchiveAbout {
  format: 'browsergrad-work';
  format_version: 1;
  files: { path: string; size: number; sha256: string }[];
}

/** Why an archive is refused. Its message completes "Nothing was opened: …". */
export class BadArchive extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadArchive';
  }
}

export async function makeArchive(files: readonly ArchiveFile[], about: ArchiveAbout): Promise<Uint8Array> {
  const list: ArchiveList = { format: 'browsergrad-work', format_version: 1, ...about, files: [] };
  const entries: Record<string, Uint8Array> = {};
  for (const { path, data } of files) {
    list.files.push({ path, size: data.length, sha256: await sha256Of(data) });
    entries[FOLDER + path] = data;
  }
  const text = new TextEncoder().encode(JSON.stringify(list, null, 1));
  return zipSync({ [LIST_NAME]: text, ...entries }, { level: 6 });
}

/**
 * Reads an archive, and returns it only if all of it is sound.
 *
 * @throws BadArchive
 */
export async function readArchive(data: Uint8Array): Promise<{ about: ArchiveAbout; files: ArchiveFile[] }> {
  if (data.length > MAX_ARCHIVE_BYTES) {
    throw new BadArchive(`it has ${data.length} bytes, at most ${MAX_ARCHIVE_BYTES} are allowed`);
  }
  const names = checkedNames(data);
  let unpacked: Record<string, Uint8Array>;
  try {
    unpacked = unzipSync(data);
  } catch (error) {
    throw new BadArchive(`it is damaged (${(error as Error).message})`);
  }
  const list = readList(unpacked[LIST_NAME]);
  const listed = new Set(list.files.map(({ path }) => FOLDER + path));
  const foreign = names.find(name => name !== LIST_NAME && !listed.has(name));
  if (foreign !== undefined) {
    throw new BadArchive(`its list does not name ${quoted(foreign)}`);
  }
  const files: ArchiveFile[] = [];
  for (const { path, size, sha256: hash } of list.files) {
    const content = unpacked[FOLDER + path];
    if (!content) {
      throw new BadArchive(`${quoted(path)} is missing in it`);
    }
    if (content.length !== size || (await sha256Of(content)) !== hash) {
      throw new BadArchive(`${quoted(path)} is damaged or was changed: its hash is not that of the list`);
    }
    files.push({ path, data: path.toLowerCase().endsWith('.ipynb') ? withoutTrust(path, content) : content });
  }
  const { folder, lab, runtime, results, made_at } = list;
  return { about: { folder, lab, runtime, results, made_at }, files };
}

/** Checks all that the directory says, before anything is unpacked. */
function checkedNames(data: Uint8Array): string[] {
  let entries: ReturnType<typeof readZipDirectory>;
  try {
    entries = readZipDirectory(data);
  } catch (error) {
    throw new BadArchive((error as Error).message);
  }
  if (!entries.some(({ name }) => name === LIST_NAME)) {
    throw new BadArchive('it was not made by “Download my work”');
  }
  if (entries.length > MAX_FILES + 1) {
    throw new BadArchive(`it has ${entries.length} files, at most ${MAX_FILES} are allowed`);
  }
  let bytes = 0;
  const seen = new Set<string>();
  for (const { name, size, isLink, isEncrypted } of entries) {
    const problem = nameProblem(name);
    if (problem !== null) {
      throw new BadArchive(`the name ${quoted(name)} ${problem}`);
    }
    if (isLink) {
      throw new BadArchive(`${quoted(name)} is a link`);
    }
    if (isEncrypted) {
      throw new BadArchive(`${quoted(name)} is encrypted`);
    }
    // Names that differ only in case are one file on some computers.
    const key = name.normalize('NFC').toLowerCase();
    if (seen.has(key)) {
      throw new BadArchive(`the name ${quoted(name)} comes more than once`);
    }
    seen.add(key);
    bytes += size;
    if (bytes > MAX_BYTES) {
      throw new BadArchive(`its files are longer than ${MAX_BYTES} bytes`);
    }
  }
  return entries.map(({ name }) => name);
}

function nameProblem(name: string): string | null {
  if (name === LIST_NAME) {
    return null;
  }
  if (!name.startsWith(FOLDER)) {
    return `is not in the folder ${FOLDER}`;
  }
  return filePathProblem(name.slice(FOLDER.length));
}

/** Says what is wrong with the path of a file; null if nothing is. */
export function filePathProblem(path: string): string | null {
  if (path.length > MAX_PATH_LENGTH) {
    return `has more than ${MAX_PATH_LENGTH} characters`;
  }
  if (path.endsWith('/')) {
    return 'is that of a folder';
  }
  if (path.split('/').some(step => step === '' || step === '.' || step === '..')) {
    return 'has an empty step, . or ..';
  }
  return pathProblem(path);
}

function readList(data: Uint8Array | undefined): ArchiveList {
  let list: ArchiveList;
  try {
    list = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data)) as ArchiveList;
  } catch {
    throw new BadArchive(`${LIST_NAME} in it is not JSON`);
  }
  if (list?.format !== 'browsergrad-work' || !Array.isArray(list.files) || typeof list.folder !== 'string') {
    throw new BadArchive(`${LIST_NAME} in it is not a list of files`);
  }
  if (list.format_version !== 1) {
    throw new BadArchive('it was made by a newer version: reload the page, or ask your teacher');
  }
  for (const file of list.files) {
    const isFile = typeof file?.path === 'string' && typeof file.sha256 === 'string' && Number.isInteger(file.size);
    if (!isFile || filePathProblem(file.path) !== null) {
      throw new BadArchive(`${LIST_NAME} in it lists something that is not a file`);
    }
  }
  if (list.folder !== '' && filePathProblem(list.folder) !== null) {
    throw new BadArchive(`the folder ${quoted(list.folder)} ${filePathProblem(list.folder)}`);
  }
  return list;
}

/** Removes the marks by which JupyterLab would run scripts in a notebook's outputs. */
function withoutTrust(path: string, data: Uint8Array): Uint8Array {
  try {
    const notebook = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data)) as {
      cells: { metadata?: { trusted?: unknown } }[];
      metadata?: { trusted?: unknown };
    };
    for (const { metadata } of [...notebook.cells, notebook]) {
      delete metadata?.trusted;
    }
    return new TextEncoder().encode(JSON.stringify(notebook));
  } catch {
    throw new BadArchive(`${quoted(path)} is not a notebook`);
  }
}

function quoted(name: string): string {
  return `“${name.slice(0, 200)}”`;
}
