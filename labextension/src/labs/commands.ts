/**
 * What a student does with a lab: check, insert starter code, start again, take the results along.
 */
import { Dialog, Notification, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type * as nbformat from '@jupyterlab/nbformat';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { CommandRegistry } from '@lumino/commands';

import { Notice } from '../notice';
import type { AssertionsContent, ILabResults } from '../results/tokens';
import { besideFile, type CheckedLab } from './gate';
import type { LabServices } from './lab_services';
import type { LabPanel } from './panel';
import { runRubric } from './results';
import { complete, starterCells } from './starter';
import { RUNTIME_VERSION } from './version';

export const CHECK = 'browsergrad:check-my-work';
export const INSERT = 'browsergrad:insert-starter-code';
export const RESET = 'browsergrad:reset-lab';
export const DOWNLOAD = 'browsergrad:download-results';

/** The heading of a rubric's results. */
const SOURCE = 'Check my work';

interface Checked {
  lab: CheckedLab;
  content: AssertionsContent;
  time: Date;
}

/** A lab's file that the manifest names is not there. */
class MissingFile extends Error {}

export class LabActions {
  private readonly checked = new WeakMap<NotebookPanel, Checked>();
  /** Notebooks whose work is being checked. */
  private readonly checking = new WeakSet<NotebookPanel>();

  constructor(
    private readonly services: LabServices,
    private readonly contents: Contents.IManager,
    private readonly results: ILabResults | null,
    /** Brings the results panel into view. */
    private readonly reveal: () => void,
  ) {}

  isChecking(panel: NotebookPanel): boolean {
    return this.checking.has(panel);
  }

  /** Runs the rubric and shows its results; null when that could not be done, which has been told. */
  async check(panel: NotebookPanel, lab: CheckedLab): Promise<Checked | null> {
    const { rubric_path: rubricPath } = lab.manifest;
    const kernel = panel.sessionContext.session?.kernel;
    if (!kernel) {
      await showErrorMessage(SOURCE, 'This notebook has no kernel: choose one, run your cells, then check again.');
      return null;
    }
    this.checking.add(panel);
    const notice = new Notice('Checking your work…');
    try {
      const rubric = await this.text(lab, rubricPath);
      const content = await runRubric(kernel, rubric, rubricPath);
      const checked = { lab, content, time: new Date() };
      this.checked.set(panel, checked);
      if (this.results) {
        this.results.show(panel.context.path, SOURCE, content);
        this.reveal();
      } else {
        void showDialog({ title: SOURCE, body: inWords(content), buttons: [Dialog.okButton()] });
      }
      return checked;
    } catch (error) {
      Notification.error(`Your work was not checked: ${(error as Error).message}`, { autoClose: false });
      return null;
    } finally {
      notice.dismiss();
      this.checking.delete(panel);
    }
  }

  /** Puts the starter code below the active cell. */
  async insertStarter(panel: NotebookPanel, lab: CheckedLab): Promise<void> {
    const { starter_path: starterPath } = lab.manifest;
    const cells = starterCells(await this.text(lab, starterPath), starterPath);
    const { activeCellIndex, model } = panel.content;
    const index = model!.cells.length ? activeCellIndex + 1 : 0;
    model!.sharedModel.insertCells(index, cells.map(complete) as never);
    panel.content.activeCellIndex = index;
  }

  /** Asks, keeps a backup, then makes the notebook what the lab began with. */
  async reset(panel: NotebookPanel, lab: CheckedLab): Promise<void> {
    const { context, sessionContext } = panel;
    const backup = await this.backupPath(context.path);
    const answer = await showDialog({
      title: 'Reset this lab?',
      body:
        'The notebook becomes what the lab began with, and the kernel restarts: your variables are lost. ' +
        `What you have now is kept as ${PathExt.basename(backup)}.`,
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Reset' })],
    });
    if (!answer.button.accept) {
      return;
    }
    const original = await this.original(panel, lab);
    const content = panel.content.model!.toJSON() as nbformat.INotebookContent;
    await this.contents.save(backup, { type: 'notebook', format: 'json', content });
    panel.content.model!.fromJSON(original);
    await context.save();
    Notification.success(`The lab is as it began. Your work is kept in ${PathExt.basename(backup)}.`, {
      autoClose: 10_000,
    });
    await sessionContext.session?.kernel?.restart();
  }

  /** Saves the latest results to a file; checks first when there are none of this lab. */
  async download(panel: NotebookPanel, lab: CheckedLab): Promise<void> {
    const known = this.checked.get(panel);
    const checked =
      known && JSON.stringify(known.lab) === JSON.stringify(lab) ? known : await this.check(panel, lab);
    if (!checked) {
      return;
    }
    const { id, version } = lab.manifest;
    const text = JSON.stringify(
      {
        lab: { id, version },
        runtime: RUNTIME_VERSION,
        notebook: panel.context.path,
        checked_at: checked.time.toISOString(),
        ...checked.content,
      },
      null,
      1,
    );
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    link.download = `${id}-results.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  private async text(lab: CheckedLab, relative: string): Promise<string> {
    const path = besideFile(lab.path, relative);
    const bytes = await this.services.files.read(path, new AbortController().signal);
    if (bytes === null) {
      throw new MissingFile(`the lab's manifest names ${path}, which does not exist`);
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  }

  /** The notebook as the site has it, else the starter notebook, else the text with the starter code. */
  private async original(panel: NotebookPanel, lab: CheckedLab): Promise<nbformat.INotebookContent> {
    const own = panel.content.model!.toJSON() as nbformat.INotebookContent;
    const shipped = await this.services.files.readSite(panel.context.path, new AbortController().signal);
    if (shipped) {
      return JSON.parse(new TextDecoder().decode(shipped)) as nbformat.INotebookContent;
    }
    const { starter_path: starterPath } = lab.manifest;
    const starter = starterCells(await this.text(lab, starterPath), starterPath).map(complete);
    const isNotebook = starterPath.toLowerCase().endsWith('.ipynb');
    const texts = new Set(starter.map(cell => String(cell.source)));
    const isKept = ({ cell_type, source }: nbformat.ICell): boolean =>
      !isNotebook && cell_type !== 'code' && !texts.has(String(source));
    const kept = own.cells.filter(isKept);
    return { ...own, cells: [...kept, ...starter] };
  }

  private async backupPath(path: string): Promise<string> {
    const stamp = new Date().toISOString().slice(0, 19).replace('T', '-').replaceAll(':', '');
    const base = path.slice(0, path.length - PathExt.extname(path).length);
    for (let number = 0; ; number++) {
      const backup = `${base}-backup-${stamp}${number ? `-${number}` : ''}.ipynb`;
      if ((await this.services.files.read(backup, new AbortController().signal)) === null) {
        return backup;
      }
    }
  }
}

/** For front ends whose results panel is disabled. */
function inWords({ assertions, counts }: AssertionsContent): string {
  const lines = assertions
    .filter(({ kind }) => kind !== 'pass')
    .map(({ name, message }) => `${name}: ${message}`);
  return [`${counts.pass} passed, ${counts.fail} failed, ${counts.error} errors`, ...lines].join('\n');
}

/** Adds the commands; `current` is the lab notebook in front. */
export function addCommands(
  commands: CommandRegistry,
  actions: LabActions,
  current: () => LabPanel | null,
): void {
  const add = (
    id: string,
    label: string,
    caption: string,
    act: (panel: NotebookPanel, lab: CheckedLab) => Promise<unknown>,
  ): void => {
    const isLab = (): boolean => current()?.verdict?.kind === 'lab';
    commands.addCommand(id, {
      label,
      caption,
      isEnabled: () => isLab() && !(id === CHECK && actions.isChecking(current()!.panel)),
      isVisible: isLab,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        const lab = current();
        // Asked again: the manifest may be another by now.
        const verdict = await lab?.check();
        if (!lab || verdict?.kind !== 'lab') {
          return;
        }
        try {
          const done = act(lab.panel, verdict.lab);
          commands.notifyCommandChanged(CHECK);
          await done;
        } catch (error) {
          await showErrorMessage(label, (error as Error).message);
        } finally {
          commands.notifyCommandChanged(CHECK);
        }
      },
    });
  };
  add(CHECK, 'Check my work', 'Run the lab’s checks against your variables and functions', (panel, lab) =>
    actions.check(panel, lab),
  );
  add(INSERT, 'Insert starter code', 'Put the lab’s starter code below the active cell', (panel, lab) =>
    actions.insertStarter(panel, lab),
  );
  add(RESET, 'Reset lab…', 'Start again from the lab’s original notebook; keeps a backup', (panel, lab) =>
    actions.reset(panel, lab),
  );
  add(DOWNLOAD, 'Download results', 'Save the results of the latest check as a file', (panel, lab) =>
    actions.download(panel, lab),
  );
}
