/**
 * The files of a notebook's folder, and its open notebooks.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { MANIFEST_NAME } from '../labs/gate';
import type { ILabResults } from '../results/tokens';
import { MAX_BYTES, MAX_FILES, type ArchiveAbout, type ArchiveFile } from './archive';

/** Reads a file; null if it is not wanted. */
export type ReadFile = (path: string) => Promise<Uint8Array | null>;

/** Says whether a folder with these entries belongs to the folder around it. */
export type IsPart = (entries: readonly Contents.IModel[]) => boolean;

/** A folder with a notebook or a manifest is another lab's, or other work. */
export const holdsNoNotebook: IsPart = entries =>
  !entries.some(({ name, type }) => type === 'notebook' || name.endsWith('.ipynb') || name === MANIFEST_NAME);

/**
 * Returns all files in a folder and its folders, with paths relative to it.
 *
 * @param isPart - asked for each folder in it; null if none of them belongs to it.
 * @throws Error if they are too many or too long for one archive.
 */
export async function filesIn(
  folder: string,
  contents: Contents.IManager,
  read: ReadFile,
  trans: TranslationBundle,
  isPart: IsPart | null = () => true,
): Promise<ArchiveFile[]> {
  const found: ArchiveFile[] = [];
  let bytes = 0;
  const walk = async (path: string): Promise<void> => {
    const entries = (await contents.get(path, { content: true })).content as Contents.IModel[];
    if (path !== folder && !isPart!(entries)) {
      return;
    }
    for (const entry of entries) {
      if (entry.type === 'directory') {
        await (isPart && walk(entry.path));
        continue;
      }
      const data = await read(entry.path);
      if (data) {
        found.push({ path: relativeTo(folder, entry.path), data });
        bytes += data.length;
      }
      if (found.length > MAX_FILES || bytes > MAX_BYTES) {
        throw new Error(trans.__('The folder holds too much for one file: move what does not belong to it.'));
      }
    }
  };
  await walk(folder);
  return found;
}

export function openNotebooksIn(folder: string, tracker: INotebookTracker): NotebookPanel[] {
  return tracker.filter(({ context }) => folder === '' || context.path.startsWith(`${folder}/`));
}

/** Saves those notebooks that have changes. */
export async function saveAll(panels: readonly NotebookPanel[]): Promise<void> {
  await Promise.all(panels.map(({ context }) => (context.model.dirty ? context.save() : undefined)));
}

export function relativeTo(folder: string, path: string): string {
  return folder ? path.slice(folder.length + 1) : path;
}

/** Returns a time as a part of a file's name. */
export function stampOf(time: Date): string {
  return time.toISOString().slice(0, 16).replace('T', '-').replace(':', '');
}

/** Returns the counts of open notebooks' checks, by paths relative to their folder. */
export function resultsOf(
  folder: string,
  open: readonly NotebookPanel[],
  results: ILabResults | null,
): ArchiveAbout['results'] {
  return Object.fromEntries(
    open.flatMap(({ context }) => {
      const counts = results?.summary(context.path);
      return counts ? [[relativeTo(folder, context.path), counts]] : [];
    }),
  );
}
