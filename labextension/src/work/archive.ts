/**
 * The file of *Download my work*: a zip file with the student's files and a list of their hashes.
 *
 * ```
 * browsergrad-work.json    what it is: ArchiveList
 * files/<path>             the files
 * ```
 */
import type { TranslationBundle } from '@jupyterlab/translation';
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

export function makeArchive(files: readonly ArchiveFile[], about: ArchiveAbout): Promise<Uint8Array> {
  return zipWithList(LIST_NAME, { format: 'browsergrad-work', format_version: 1, ...about }, files);
}

/** Makes a zip file of files, and of a list that gets a field `files` with their hashes. */
export async function zipWithList(name: string, list: object, files: readonly ArchiveFile[]): Promise<Uint8Array> {
  const listed: ArchiveList['files'] = [];
  const entries: Record<string, Uint8Array> = {};
  for (const { path, data } of files) {
    listed.push({ path, size: data.length, sha256: await sha256Of(data) });
    entries[FOLDER + path] = data;
  }
  const text = new TextEncoder().encode(JSON.stringify({ ...list, files: listed }, null, 1));
  return zipSync({ [name]: text, ...entries }, { level: 6 });
}

/**
 * Reads an archive, and returns it only if all of it is sound.
 *
 * @throws BadArchive
 */
export async function readArchive(
  data: Uint8Array,
  trans: TranslationBundle,
): Promise<{ about: ArchiveAbout; files: ArchiveFile[] }> {
  if (data.length > MAX_ARCHIVE_BYTES) {
    throw new BadArchive(trans.__('it has %1 bytes, at most %2 are allowed', data.length, MAX_ARCHIVE_BYTES));
  }
  const names = checkedNames(data, trans);
  let unpacked: Record<string, Uint8Array>;
  try {
    unpacked = unzipSync(data);
  } catch (error) {
    throw new BadArchive(trans.__('it is damaged (%1)', (error as Error).message));
  }
  const list = readList(unpacked[LIST_NAME], trans);
  const listed = new Set(list.files.map(({ path }) => FOLDER + path));
  if (listed.size < list.files.length) {
    throw new BadArchive(trans.__('its list names a file more than once'));
  }
  const foreign = names.find(name => name !== LIST_NAME && !listed.has(name));
  if (foreign !== undefined) {
    throw new BadArchive(trans.__('its list does not name “%1”', short(foreign)));
  }
  const files: ArchiveFile[] = [];
  for (const { path, size, sha256: hash } of list.files) {
    const content = unpacked[FOLDER + path];
    if (!content) {
      throw new BadArchive(trans.__('“%1” is missing in it', short(path)));
    }
    if (content.length !== size || (await sha256Of(content)) !== hash) {
      throw new BadArchive(trans.__('“%1” is damaged or was changed: its hash is not that of the list', short(path)));
    }
    files.push({ path, data: path.toLowerCase().endsWith('.ipynb') ? withoutTrust(path, content, trans) : content });
  }
  const { folder, lab, runtime, results, made_at } = list;
  return { about: { folder, lab, runtime, results, made_at }, files };
}

/** Checks all that the directory says, before anything is unpacked. */
function checkedNames(data: Uint8Array, trans: TranslationBundle): string[] {
  let entries: ReturnType<typeof readZipDirectory>;
  try {
    entries = readZipDirectory(data, trans);
  } catch (error) {
    throw new BadArchive((error as Error).message);
  }
  if (!entries.some(({ name }) => name === LIST_NAME)) {
    throw new BadArchive(trans.__('it was not made by “Download my work”'));
  }
  if (entries.length > MAX_FILES + 1) {
    throw new BadArchive(trans.__('it has %1 files, at most %2 are allowed', entries.length, MAX_FILES));
  }
  let bytes = 0;
  const seen = new Set<string>();
  for (const { name, size, isLink, isEncrypted } of entries) {
    const problem = nameProblem(name, trans);
    if (problem !== null) {
      throw new BadArchive(trans.__('the name “%1” %2', short(name), problem));
    }
    if (isLink) {
      throw new BadArchive(trans.__('“%1” is a link', short(name)));
    }
    if (isEncrypted) {
      throw new BadArchive(trans.__('“%1” is encrypted', short(name)));
    }
    // Names that differ only in case are one file on some computers.
    const key = name.normalize('NFC').toLowerCase();
    if (seen.has(key)) {
      throw new BadArchive(trans.__('the name “%1” comes more than once', short(name)));
    }
    seen.add(key);
    bytes += size;
    if (bytes > MAX_BYTES) {
      throw new BadArchive(trans.__('its files are longer than %1 bytes', MAX_BYTES));
    }
  }
  return entries.map(({ name }) => name);
}

function nameProblem(name: string, trans: TranslationBundle): string | null {
  if (name === LIST_NAME) {
    return null;
  }
  if (!name.startsWith(FOLDER)) {
    return trans.__('is not in the folder %1', FOLDER);
  }
  return filePathProblem(name.slice(FOLDER.length), trans);
}

/** Says what is wrong with the path of a file; null if nothing is. */
export function filePathProblem(path: string, trans: TranslationBundle): string | null {
  if (path.length > MAX_PATH_LENGTH) {
    return trans.__('has more than %1 characters', MAX_PATH_LENGTH);
  }
  if (path.endsWith('/')) {
    return trans.__('is that of a folder');
  }
  if (path.split('/').some(step => step === '' || step === '.' || step === '..')) {
    return trans.__('has an empty step, . or ..');
  }
  return pathProblem(path, trans);
}

function readList(data: Uint8Array | undefined, trans: TranslationBundle): ArchiveList {
  let list: ArchiveList;
  try {
    list = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data)) as ArchiveList;
  } catch {
    throw new BadArchive(trans.__('%1 in it is not JSON', LIST_NAME));
  }
  if (list?.format !== 'browsergrad-work' || !Array.isArray(list.files) || typeof list.folder !== 'string') {
    throw new BadArchive(trans.__('%1 in it is not a list of files', LIST_NAME));
  }
  if (list.format_version !== 1) {
    throw new BadArchive(trans.__('it was made by a newer version: reload the page, or ask your teacher'));
  }
  for (const file of list.files) {
    const isFile = typeof file?.path === 'string' && typeof file.sha256 === 'string' && Number.isInteger(file.size);
    if (!isFile || filePathProblem(file.path, trans) !== null) {
      throw new BadArchive(trans.__('%1 in it lists something that is not a file', LIST_NAME));
    }
  }
  if (list.folder !== '' && filePathProblem(list.folder, trans) !== null) {
    throw new BadArchive(trans.__('the folder “%1” %2', short(list.folder), filePathProblem(list.folder, trans)));
  }
  return list;
}

/** Removes the marks by which JupyterLab would run scripts in a notebook's outputs. */
function withoutTrust(path: string, data: Uint8Array, trans: TranslationBundle): Uint8Array {
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
    throw new BadArchive(trans.__('“%1” is not a notebook', short(path)));
  }
}

function short(name: string): string {
  return name.slice(0, 200);
}
