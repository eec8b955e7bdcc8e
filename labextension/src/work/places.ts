/** Places in JupyterLite's file browser. */
import { PathExt } from '@jupyterlab/coreutils';
import type { Contents } from '@jupyterlab/services';

export async function exists(contents: Contents.IManager, path: string): Promise<boolean> {
  try {
    await contents.get(path, { content: false });
    return true;
  } catch {
    return false;
  }
}

/** Makes a folder, and those in which it is, unless they are there. */
export async function makeFolder(contents: Contents.IManager, path: string): Promise<void> {
  if (path && !(await exists(contents, path))) {
    await makeFolder(contents, PathExt.dirname(path));
    await contents.save(path, { type: 'directory' });
  }
}
