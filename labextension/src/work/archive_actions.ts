/**
 * *Download my work* and *Open my work*.
 */
import { Dialog, Notification, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type * as nbformat from '@jupyterlab/nbformat';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { download } from '../download';
import type { ContentsFiles } from '../labs/files';
import { RUNTIME_VERSION } from '../labs/version';
import { element, visible } from '../renderers/dom';
import type { ILabResults } from '../results/tokens';
import { toBase64 } from '../runtime/base64';
import { areSameBytes } from '../runtime/bytes';
import { makeArchive, readArchive, type ArchiveAbout, type ArchiveFile } from './archive';
import type { Copies } from './copies';
import { filesIn, openNotebooksIn, resultsOf, saveAll, stampOf } from './folder_files';
import type { NotebookKeeper } from './keeper';
import { takeApart } from './notebook_parts';
import { makeFolder } from './places';
import type { Work } from './work';
import { timeText } from './words';

/** What opening a file of an archive would do. */
interface Planned extends ArchiveFile {
  /** Its path here. */
  place: string;
  kind: 'new' | 'same' | 'different';
}

export class ArchiveActions {
  constructor(
    private readonly contents: Contents.IManager,
    private readonly files: ContentsFiles,
    private readonly tracker: INotebookTracker,
    private readonly work: () => Work,
    private readonly copies: () => Copies | null,
    private readonly results: ILabResults | null,
    /** Returns the lab of a notebook; null if it belongs to none. */
    readonly labOf: (path: string) => Promise<ArchiveAbout['lab']>,
    private readonly trans: TranslationBundle,
  ) {}

  /** Downloads the folder of a notebook. Open notebooks of the folder are saved first. */
  async download(path: string): Promise<void> {
    const { trans } = this;
    const folder = PathExt.dirname(path);
    try {
      const open = openNotebooksIn(folder, this.tracker);
      await saveAll(open);
      const files = await filesIn(folder, this.contents, one => this.read(one), trans);
      const lab = await this.labOf(path);
      const made = new Date();
      const results = resultsOf(folder, open, this.results);
      const about = { folder, lab, runtime: RUNTIME_VERSION, results, made_at: made.toISOString() };
      const data = await makeArchive(files, about);
      const name = lab?.id ?? (PathExt.basename(folder) || 'work');
      download(`${name}-${stampOf(made)}.zip`, new Blob([data as BlobPart], { type: 'application/zip' }));
      await this.remember(folder, files, made.getTime());
    } catch (error) {
      await showErrorMessage(trans.__('Download my work'), (error as Error).message);
    }
  }

  /** Lets the user choose an archive, then opens it. */
  choose(): void {
    const input = document.createElement('input');
    input.type = 'file';
    input.accept = '.zip,application/zip';
    input.addEventListener('change', () => {
      if (input.files?.length) {
        void this.open(input.files[0]);
      }
    });
    input.click();
  }

  /** Opens an archive, after its user has seen what that does. */
  async open(file: Blob): Promise<void> {
    const { trans } = this;
    const title = trans.__('Open my work');
    try {
      const { about, files } = await readArchive(new Uint8Array(await file.arrayBuffer()), trans);
      const plan = await Promise.all(files.map(one => this.plan(about.folder, one)));
      const different = plan.filter(({ kind }) => kind === 'different');
      const isNew = plan.filter(({ kind }) => kind === 'new');
      const answer = await showDialog({
        title,
        body: planBody(about, isNew, different, trans),
        buttons: [
          Dialog.cancelButton(),
          ...(different.length ? [Dialog.okButton({ label: trans.__('Keep both'), actions: ['both'] })] : []),
          different.length
            ? Dialog.warnButton({ label: trans.__('Replace mine'), actions: ['replace'] })
            : Dialog.okButton({ label: trans.__('Open') }),
        ],
      });
      if (!answer.button.accept) {
        return;
      }
      const isReplacing = answer.button.actions.includes('replace');
      for (const one of [...isNew, ...different]) {
        await this.put(one, one.kind === 'different' && !isReplacing);
      }
      Notification.success(trans._n('%1 file was opened.', '%1 files were opened.', isNew.length + different.length), {
        autoClose: 10_000,
      });
    } catch (error) {
      await showErrorMessage(title, trans.__('Nothing was opened: %1.', (error as Error).message));
    }
  }

  private async plan(folder: string, file: ArchiveFile): Promise<Planned> {
    const place = PathExt.join(folder, file.path);
    const present = await this.read(place);
    const published = await this.files.readSite(place, new AbortController().signal);
    if (present === null || isSame(place, present, file.data)) {
      return { ...file, place, kind: present === null ? 'new' : 'same' };
    }
    // What the site publishes is not the student's, and is still on the site.
    const isOurs = published !== null && isSame(place, present, published);
    return { ...file, place, kind: isOurs ? 'new' : 'different' };
  }

  /** Writes a file, to where it was or beside what is there. */
  private async put({ place, data }: Planned, isBeside: boolean): Promise<void> {
    const path = isBeside ? await this.besidePath(place) : place;
    if (path.endsWith('.ipynb')) {
      const content = JSON.parse(new TextDecoder().decode(data)) as nbformat.INotebookContent;
      const keeper = this.keeperAt(path);
      if (keeper) {
        await keeper.replace(content);
        await keeper.context.save();
        return;
      }
      await this.keepPresent(path);
      await makeFolder(this.contents, PathExt.dirname(path));
      await this.contents.save(path, { type: 'notebook', format: 'json', content });
      return;
    }
    const present = isBeside ? null : await this.read(path);
    if (present) {
      await this.copyAside(path, present);
    }
    await makeFolder(this.contents, PathExt.dirname(path));
    await this.contents.save(path, fileModel(data));
  }

  /** Puts the notebook at `path` into the history, if there is one. */
  private async keepPresent(path: string): Promise<void> {
    const { state } = this.work();
    const present = await this.read(path);
    if (present && state.kind === 'open') {
      const notebook = JSON.parse(new TextDecoder().decode(present)) as nbformat.INotebookContent;
      await state.history.keep(path, notebook, { kind: 'replaced' });
    } else if (present) {
      await this.copyAside(path, present);
    }
  }

  private async copyAside(path: string, data: Uint8Array): Promise<void> {
    await this.contents.save(await this.besidePath(path), fileModel(data));
  }

  private read(path: string): Promise<Uint8Array | null> {
    return this.files.read(path, new AbortController().signal);
  }

  /** The keeper of the notebook at `path`, if it is open. */
  private keeperAt(path: string): NotebookKeeper | undefined {
    return this.work().keeper(this.tracker.find(({ context }) => context.path === path) ?? null);
  }

  /** Returns a path for another file beside the one at `path`. */
  private async besidePath(path: string): Promise<string> {
    const end = PathExt.extname(path);
    for (let number = 1; ; number++) {
      const free = `${path.slice(0, path.length - end.length)}-${number}${end}`;
      if ((await this.read(free)) === null) {
        return free;
      }
    }
  }

  private async remember(folder: string, files: readonly ArchiveFile[], time: number): Promise<void> {
    const copies = this.copies();
    for (const { path, data } of copies ? files : []) {
      if (path.endsWith('.ipynb')) {
        try {
          const place = PathExt.join(folder, path);
          // An open notebook's form may differ from that of its file.
          const notebook =
            this.keeperAt(place)?.content() ??
            (JSON.parse(new TextDecoder().decode(data)) as nbformat.INotebookContent);
          await copies!.made(place, { time, hash: (await takeApart(notebook)).hash });
        } catch {
          // A file that is not a notebook has no state to compare.
        }
      }
    }
    this.work().tell();
  }
}

/** Whether two files say the same. Notebooks may be written differently. */
function isSame(path: string, a: Uint8Array, b: Uint8Array): boolean {
  const text = (data: Uint8Array): string => new TextDecoder().decode(data);
  if (path.endsWith('.ipynb')) {
    try {
      return JSON.stringify(JSON.parse(text(a))) === JSON.stringify(JSON.parse(text(b)));
    } catch {
      // compared as bytes
    }
  }
  return areSameBytes(a, b);
}

function fileModel(data: Uint8Array): Partial<Contents.IModel> {
  return { type: 'file', format: 'base64', content: toBase64(data) };
}

function planBody(
  { lab, made_at, folder }: ArchiveAbout,
  isNew: readonly Planned[],
  different: readonly Planned[],
  trans: TranslationBundle,
): Widget {
  const body = new Widget({ node: element('div', 'bg-panel') });
  body.node.tabIndex = 0; // in a small window it scrolls, also by keys
  const time = Date.parse(made_at);
  const made = Number.isNaN(time) ? visible(made_at, 40) : timeText(time);
  const from = lab
    ? trans.__('Work for the lab %1 %2, of %3.', lab.id, lab.version, made)
    : trans.__('Work in the folder “%1”, of %2.', folder, made);
  const list = (title: string, files: readonly Planned[]): HTMLElement[] =>
    files.length
      ? [
          element('h3', '', title),
          element('ul', '', ...files.slice(0, 20).map(({ place }) => element('li', '', element('bdi', '', place)))),
        ]
      : [];
  body.node.append(
    element('p', '', from),
    ...list(trans.__('New here'), isNew),
    ...list(trans.__('Different from what is here'), different),
  );
  if (!isNew.length && !different.length) {
    body.node.append(element('p', '', trans.__('All of it is here already.')));
  } else if (different.length) {
    const text = trans.__(
      'If you replace yours, your notebooks are kept in the history, and other files beside the new ones.',
    );
    body.node.append(element('p', '', text));
  }
  return body;
}
