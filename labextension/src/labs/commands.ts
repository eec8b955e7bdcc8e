/**
 * The commands of a lab: check my work, insert starter code, reset, download results.
 */
import { Dialog, Notification, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type * as nbformat from '@jupyterlab/nbformat';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal, type ISignal } from '@lumino/signaling';

import { downloadJson } from '../download';
import { addCommand, DOWNLOAD_RESULTS, type CommandPlace } from '../lab_commands';
import { countsText } from '../renderers/assertions';
import type { ILabResults } from '../results/tokens';
import type { AssertionsContent } from '../runtime/events';
import { besideFile, type CheckedLab } from './gate';
import type { LabServices } from './lab_services';
import type { CheckState } from './lab_toolbar';
import type { LabPanel } from './panel';
import { runRubric } from './rubric';
import { begunAnew, complete, starterCells } from './starter_cells';
import { RUNTIME_VERSION } from './version';

export const CHECK = 'browsergrad:check-my-work';
export const INSERT = 'browsergrad:insert-starter-code';
export const RESET = 'browsergrad:reset-lab';

interface Checked {
  lab: CheckedLab;
  content: AssertionsContent;
  time: Date;
}

interface Original {
  content: nbformat.INotebookContent;
  /** Whether the original replaces the whole notebook. */
  isWhole: boolean;
}

/** A file that the lab's manifest names does not exist. */
class MissingFile extends Error {}

export class LabActions {
  private readonly checked = new WeakMap<NotebookPanel, Checked>();
  /** Notebooks whose work is being checked. */
  private readonly checking = new WeakSet<NotebookPanel>();
  private readonly changedSignal = new Signal<this, NotebookPanel>(this);

  constructor(
    private readonly services: LabServices,
    private readonly contents: Contents.IManager,
    private readonly results: ILabResults | null,
    /** Shows the results panel. */
    private readonly reveal: () => void,
    private readonly trans: TranslationBundle,
  ) {}

  /** Emits a notebook whose check has begun or ended, or whose results no longer count. */
  get changed(): ISignal<this, NotebookPanel> {
    return this.changedSignal;
  }

  state(panel: NotebookPanel): CheckState {
    return { isChecking: this.checking.has(panel), counts: this.checked.get(panel)?.content.counts ?? null };
  }

  /** Results of earlier checks no longer count: the notebook begins anew, or its lab is another one. */
  forget(panel: NotebookPanel): void {
    if (this.checked.delete(panel)) {
      this.changedSignal.emit(panel);
    }
  }

  /** Runs the rubric and shows its results. @returns null if that was not possible; the user then knows why. */
  async check(panel: NotebookPanel, lab: CheckedLab): Promise<Checked | null> {
    const { trans } = this;
    const title = trans.__('Check my work');
    const { rubric_path: rubricPath } = lab.manifest;
    const kernel = panel.sessionContext.session?.kernel;
    if (!kernel) {
      await showErrorMessage(
        title,
        trans.__('This notebook has no kernel: choose one, run your cells, then check again.'),
      );
      return null;
    }
    this.checking.add(panel);
    this.changedSignal.emit(panel);
    try {
      const rubric = await this.text(lab, rubricPath);
      const content = await runRubric(kernel, rubric, rubricPath, trans);
      const checked = { lab, content, time: new Date() };
      this.checked.set(panel, checked);
      if (this.results) {
        this.results.show(panel.context.path, title, content);
        this.reveal();
      } else {
        void showDialog({ title, body: inWords(content, trans), buttons: [Dialog.okButton()] });
      }
      return checked;
    } catch (error) {
      const message = trans.__('Your work was not checked: %1', (error as Error).message);
      Notification.error(message, { autoClose: false });
      return null;
    } finally {
      this.checking.delete(panel);
      this.changedSignal.emit(panel);
    }
  }

  /** Inserts the starter code below the active cell. */
  async insertStarter(panel: NotebookPanel, lab: CheckedLab): Promise<void> {
    const { starter_path: starterPath } = lab.manifest;
    const cells = starterCells(await this.text(lab, starterPath), starterPath);
    const { activeCellIndex, model } = panel.content;
    const index = model!.cells.length ? activeCellIndex + 1 : 0;
    model!.sharedModel.insertCells(index, cells.map(complete) as never);
    panel.content.activeCellIndex = index;
  }

  /** Asks the user, saves a backup, then resets the notebook to the lab's original state. */
  async reset(panel: NotebookPanel, lab: CheckedLab): Promise<void> {
    const { trans } = this;
    const { context, sessionContext } = panel;
    const backup = await this.backupPath(context.path);
    const original = await this.original(panel, lab);
    const becomes = original.isWhole
      ? trans.__('The notebook becomes what the lab began with.')
      : trans.__('Your answers are replaced by the starter code; other cells stay.');
    const answer = await showDialog({
      title: trans.__('Reset this lab?'),
      body: trans.__(
        '%1 The kernel restarts: your variables are lost. What you have now is kept as %2.',
        becomes,
        PathExt.basename(backup),
      ),
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Reset') })],
    });
    if (!answer.button.accept) {
      return;
    }
    const content = panel.content.model!.toJSON() as nbformat.INotebookContent;
    await this.contents.save(backup, { type: 'notebook', format: 'json', content });
    panel.content.model!.fromJSON(original.content);
    this.forget(panel);
    await context.save();
    Notification.success(trans.__('The lab is as it began. Your work is kept in %1.', PathExt.basename(backup)), {
      autoClose: 10_000,
    });
    await sessionContext.session?.kernel?.restart();
  }

  /** Saves the latest results to a file. If this lab has none yet, checks first. */
  async download(panel: NotebookPanel, lab: CheckedLab): Promise<void> {
    const known = this.checked.get(panel);
    const checked = known && JSON.stringify(known.lab) === JSON.stringify(lab) ? known : await this.check(panel, lab);
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
    downloadJson(`${id}-results.json`, text);
  }

  private async text(lab: CheckedLab, relative: string): Promise<string> {
    const path = besideFile(lab.path, relative);
    const bytes = await this.services.files.read(path, new AbortController().signal);
    if (bytes === null) {
      throw new MissingFile(this.trans.__('the lab’s manifest names %1, which does not exist', path));
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  }

  /**
   * Returns the lab's original state: the notebook that the site published, else the starter notebook, else this notebook with
   * the starter code.
   */
  private async original(panel: NotebookPanel, lab: CheckedLab): Promise<Original> {
    const shipped = await this.services.files.readSite(panel.context.path, new AbortController().signal);
    if (shipped) {
      return { content: JSON.parse(new TextDecoder().decode(shipped)), isWhole: true };
    }
    const { starter_path: starterPath } = lab.manifest;
    const starter = starterCells(await this.text(lab, starterPath), starterPath);
    const own = panel.content.model!.toJSON() as nbformat.INotebookContent;
    const isWhole = starterPath.toLowerCase().endsWith('.ipynb');
    const cells = isWhole ? starter.map(complete) : begunAnew(own.cells, starter);
    return { content: { ...own, cells }, isWhole };
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

/** Stands for the results panel where it is disabled. */
function inWords({ assertions, counts, points }: AssertionsContent, trans: TranslationBundle): string {
  const lines = assertions.flatMap(one => (one.kind === 'pass' ? [] : `${one.name}: ${one.message}`));
  return [countsText(counts, trans, points), ...lines].join('\n');
}

/** Adds the commands. @param current - returns the front notebook if it belongs to a lab. */
export function addCommands(place: CommandPlace, actions: LabActions, current: () => LabPanel | null): void {
  const { app, trans } = place;
  const { commands } = app;
  const add = (
    id: string,
    label: string,
    caption: string,
    act: (panel: NotebookPanel, lab: CheckedLab) => Promise<unknown>,
  ): void => {
    const isLab = (): boolean => current()?.verdict?.kind === 'lab';
    addCommand(place, id, {
      label,
      caption,
      isEnabled: () => isLab() && !(id === CHECK && actions.state(current()!.panel).isChecking),
      isVisible: isLab,
      execute: async () => {
        const lab = current();
        // Asks the gate again: the manifest may have changed.
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
  add(
    CHECK,
    trans.__('Check my work'),
    trans.__('Run the lab’s checks against your variables and functions'),
    (panel, lab) => actions.check(panel, lab),
  );
  add(
    INSERT,
    trans.__('Insert starter code'),
    trans.__('Put the lab’s starter code below the active cell'),
    (panel, lab) => actions.insertStarter(panel, lab),
  );
  add(
    RESET,
    trans.__('Reset lab…'),
    trans.__('Start again from the lab’s original notebook; keeps a backup'),
    (panel, lab) => actions.reset(panel, lab),
  );
  add(
    DOWNLOAD_RESULTS,
    trans.__('Download results'),
    trans.__('Save the results of the latest check as a file'),
    (panel, lab) => actions.download(panel, lab),
  );
}
