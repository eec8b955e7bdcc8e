/**
 * *Make hand-in file*.
 */
import { Notification, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { download } from '../download';
import type { ContentsFiles } from '../labs/files';
import { RUNTIME_VERSION } from '../labs/version';
import type { ILabResults } from '../results/tokens';
import type { ArchiveAbout, ArchiveFile } from './archive';
import { filesIn, holdsNoNotebook, openNotebooksIn, relativeTo, resultsOf, saveAll, stampOf } from './folder_files';
import { BadKey, makeHandIn, MAX_HAND_IN_BYTES, SUFFIX, withoutRepeats, type CheckRecord } from './hand_in';
import { sizeText } from './words';

export class HandInActions {
  /** The teacher's public key; empty if the site has none. */
  publicKey = '';
  /** Returns the checks of a notebook that a history knows, oldest first. */
  checksOf: (path: string) => Promise<CheckRecord[]> = async () => [];

  constructor(
    private readonly contents: Contents.IManager,
    private readonly files: ContentsFiles,
    private readonly tracker: INotebookTracker,
    private readonly results: ILabResults | null,
    /** Returns the lab of a notebook; null if it belongs to none. */
    private readonly labOf: (path: string) => Promise<ArchiveAbout['lab']>,
    private readonly trans: TranslationBundle,
  ) {}

  /** Makes the file and downloads it. The open notebooks of the folder are saved first. */
  async make(panel: NotebookPanel): Promise<void> {
    const { trans } = this;
    const { path } = panel.context;
    try {
      if (!globalThis.isSecureContext) {
        throw new Error(trans.__('this page did not come by https, so the browser cannot compute hashes'));
      }
      const open = openNotebooksIn(PathExt.dirname(path), this.tracker);
      await saveAll(open);
      const made = new Date();
      const about = await this.about(path, open, made);
      const files = await this.filesFor(path, about.lab !== null);
      const data = await makeHandIn(files, about, this.publicKey);
      if (data.length > MAX_HAND_IN_BYTES) {
        throw new Error(this.tooLong(data.length, files));
      }
      const stem = about.lab?.id ?? PathExt.basename(path, '.ipynb');
      const name = `${stem}-${stampOf(made)}${SUFFIX}`;
      download(name, new Blob([data as BlobPart], { type: 'application/octet-stream' }));
      this.tell(name);
    } catch (error) {
      const reason =
        error instanceof BadKey
          ? trans.__('the key of this site is not valid (%1). Tell your teacher', error.message)
          : (error as Error).message;
      await showErrorMessage(trans.__('Make hand-in file'), trans.__('No file was made: %1.', reason));
    }
  }

  /**
   * Returns the notebook and, if it belongs to a lab, the other files of its folder that the site does not publish. In the root folder,
   * folders with notebooks are left out, which are other labs, and on a server all folders: they are everything that the student has.
   */
  private async filesFor(path: string, isLab: boolean): Promise<ArchiveFile[]> {
    const folder = PathExt.dirname(path);
    const { signal } = new AbortController();
    const read = async (one: string): Promise<Uint8Array | null> => {
      if (one === path) {
        return this.files.read(one, signal);
      }
      return isLab && !one.endsWith(SUFFIX) ? this.files.readOwn(one, signal) : null;
    };
    const isPart = folder !== '' ? () => true : this.files.isSite ? holdsNoNotebook : null;
    return filesIn(folder, this.contents, read, this.trans, isLab ? isPart : null);
  }

  private async about(path: string, open: readonly NotebookPanel[], made: Date) {
    const folder = PathExt.dirname(path);
    const now = this.results?.summary(path) ?? null;
    const made_at = made.toISOString();
    const checks = [...(await this.checksOf(path)), ...(now ? [{ time: made_at, ...now }] : [])];
    return {
      notebook: relativeTo(folder, path),
      folder,
      lab: await this.labOf(path),
      runtime: RUNTIME_VERSION,
      made_at,
      results: resultsOf(folder, open, this.results),
      checks: withoutRepeats(checks),
    };
  }

  private tooLong(bytes: number, files: readonly ArchiveFile[]): string {
    const longest = files.reduce((a, b) => (b.data.length > a.data.length ? b : a));
    return this.trans.__(
      'it would have %1, and at most %2 are read. The longest file is %3: move it to another folder if it does not belong to your work',
      sizeText(bytes, this.trans),
      sizeText(MAX_HAND_IN_BYTES, this.trans),
      longest.path,
    );
  }

  private tell(name: string): void {
    const { trans } = this;
    // JupyterLab shows at most 140 characters of a notification.
    const made = this.publicKey
      ? trans.__('%1 is in your downloads: hand it in. Only your teacher can read it.', name)
      : trans.__('%1 is in your downloads: hand it in. It is not encrypted: anybody can read it.', name);
    Notification.success(made, { autoClose: 30_000 });
  }
}
