/**
 * Pages in which Python has no drive, because memory cannot be shared and there is no service worker: says so, and offers what
 * code has written as a download.
 */
import { Notification } from '@jupyterlab/apputils';
import { zipSync } from 'fflate';

import { download } from '../download';
import { errorText } from '../runtime/errors';

/** A kernel whose files are in Python's memory. */
export interface MemoryKernel {
  /** Whether Python sees the files of the file browser. */
  readonly hasDrive: boolean;
  homeFiles(): Promise<Record<string, Uint8Array>>;
}

const ARCHIVE = 'python-files.zip';
/** JupyterLab cuts notifications at 140 characters. */
const NOTICE =
  'Python cannot reach the files of this page. What it writes is lost when the kernel restarts: download it, or use a normal window.';
const LABEL = 'Files are not kept';
const TOOLTIP =
  'Python does not see the files beside the notebook, and what it writes is lost when the kernel restarts or the page is closed. ' +
  'Notebooks themselves are saved. The browser allows this site no service worker, as in some private windows. A normal window has no such ' +
  'limit, nor has a site that sends COOP and COEP headers. Click to download what Python has written.';

/** Text and tooltip for the status bar; empty if the kernel has a drive. */
export function driveTexts(kernel: MemoryKernel): [label: string, tooltip: string] {
  return kernel.hasDrive ? ['', ''] : [LABEL, TOOLTIP];
}

/** Whether this page has said it. */
let isSaid = false;

/** Says it, once in each page. */
export function warnOfMissingDrive(kernel: MemoryKernel): void {
  if (kernel.hasDrive || isSaid) {
    return;
  }
  isSaid = true;
  Notification.warning(NOTICE, {
    autoClose: false,
    actions: [{ label: 'Download files', callback: () => void downloadHomeFiles(kernel) }],
  });
}

/** Downloads the files that a kernel's code has written: one as it is, several as a zip file. */
export async function downloadHomeFiles(kernel: MemoryKernel): Promise<void> {
  try {
    const files = await kernel.homeFiles();
    const [first, ...others] = Object.entries(files);
    if (!first) {
      Notification.info('Python has not written any file.', { autoClose: 5000 });
    } else if (others.length) {
      download(ARCHIVE, new Blob([zipSync(files, { level: 0 })], { type: 'application/zip' }));
    } else {
      const [path, data] = first;
      download(path.slice(path.lastIndexOf('/') + 1), new Blob([new Uint8Array(data)]));
    }
  } catch (error) {
    Notification.error(`The files that Python has written could not be read: ${errorText(error)}`, {
      autoClose: false,
    });
  }
}
