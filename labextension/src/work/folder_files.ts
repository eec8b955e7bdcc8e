/**
 * The files of a notebook's folder, and its open notebooks.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ILabResults } from '../results/tokens';
import { MAX_BYTES, MAX_FILES, type ArchiveAbout, type ArchiveFile } from './archive';

/** Reads a file; null if it is not wanted. */
export type ReadFile = (path: string) => Promise<Uint8Array | null>;

/**
 * Returns all files in a folder and its folders, with paths relative to it.
 *
 * @param isDeep - whether the folders in it belong to it as well.
 * @throws Error if they are too many or too long for one archive.
 */
export async function filesIn(
  folder: string,
  contents: Contents.IManager,
  read: ReadFile,
  trans: TranslationBundle,
  isDeep = true,
): Promise<ArchiveFile[]> {
  const found: ArchiveFile[] = [];
  let bytes = 0;
  const walk = async (path: string): Promise<void> => {
    const { content } = await contents.get(path, { content: true });
    for (const entry of content as Contents.IModel[]) {
      if (entry.type === 'directory') {
        await (isDeep && walk(entry.path));
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
