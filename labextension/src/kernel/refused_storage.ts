/**
 * Browsers that let a site store nothing: cookies are blocked, or the page is in a frame that may not store. JupyterLite then
 * fails to start most of its parts. So it is told to keep everything in memory, and the page says so.
 */
import { Notification } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';

/** Name of JupyterLite's storage in memory, which `enableMemoryStorage` adds. */
const MEMORY = 'memoryStorageDriver';
/** What JupyterLite stores: each has a list of the storages to try. */
const STORED = ['contents', 'settings', 'workspaces'];
/** JupyterLab cuts notifications at 140 characters. */
const NOTICE =
  'This browser lets the site store nothing: notebooks are lost when the page closes. Download your work, or allow cookies for this site.';

/** Whether the browser refuses to store anything. */
function isRefused(): boolean {
  try {
    // Reading the properties is enough: browsers that block a site's cookies throw a SecurityError.
    return !globalThis.localStorage || !globalThis.indexedDB;
  } catch {
    return true;
  }
}

/**
 * Lets JupyterLite keep everything in memory if nothing can be stored. It must be called before the application's plugins
 * are activated, since they read these options.
 *
 * @returns whether storage is refused.
 */
export function useMemoryIfRefused(): boolean {
  if (!isRefused()) {
    return false;
  }
  PageConfig.setOption('enableMemoryStorage', 'true');
  for (const what of STORED) {
    PageConfig.setOption(`${what}StorageDrivers`, JSON.stringify([MEMORY]));
  }
  return true;
}

/** Says that nothing is kept. */
export function warnOfRefusedStorage(): void {
  Notification.warning(NOTICE, { autoClose: false });
}
