/**
 * Offers a lab's new version, and brings it into the front notebook when its user agrees.
 */
import { Dialog, Notification, showDialog, showErrorMessage } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type * as nbformat from '@jupyterlab/nbformat';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal, type ISignal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';

import { element, visible } from '../renderers/dom';
import type { NotebookContext } from './keeper';
import type { LabUpdate, Updates } from './lab_updates';
import type { Conflict, UpdateResult } from './update';

/** Most characters of a cell in the list of conflicts. */
const MAX_SHOWN = 2000;

/** A notebook that can be updated, and keeps what it was before. `NotebookKeeper` is one. */
export interface UpdatableNotebook {
  readonly context: NotebookContext;
  readonly isDisposed: boolean;
  content(): nbformat.INotebookContent;
  /** Replaces the notebook. @returns the name of the copy of what was there; null if that is in the history. */
  replace(notebook: nbformat.INotebookContent): Promise<string | null>;
}

export class UpdateActions {
  private readonly found = new WeakMap<UpdatableNotebook, LabUpdate>();
  private readonly changedSignal = new Signal<this, void>(this);

  constructor(
    private readonly updates: Updates,
    private readonly trans: TranslationBundle,
  ) {}

  /** Emitted when an update was found or made. */
  get changed(): ISignal<this, void> {
    return this.changedSignal;
  }

  /** Returns the update of a notebook that is known. */
  known(keeper: UpdatableNotebook | undefined): LabUpdate | undefined {
    return keeper && this.found.get(keeper);
  }

  /** Looks for a new version, and says so if there is one. */
  async look(keeper: UpdatableNotebook): Promise<void> {
    const update = await this.updates.find(keeper.context.path);
    if (!update || keeper.isDisposed) {
      return;
    }
    this.found.set(keeper, update);
    this.changedSignal.emit();
    const { trans } = this;
    const { manifest, base } = update;
    const text = trans.__('Lab %1: version %2 is here, you have %3.', manifest.id, manifest.version, base.version);
    Notification.info(text, {
      autoClose: false,
      actions: [{ label: trans.__('Update…'), callback: () => void this.update(keeper) }],
    });
  }

  /** Shows what an update would do; then updates the notebook, if its user agrees. */
  async update(keeper: UpdatableNotebook): Promise<void> {
    const update = this.found.get(keeper);
    if (!update) {
      return;
    }
    const { trans } = this;
    const texts = {
      removed: trans.__('## No longer part of this lab\n\nThe cells below are not in its new version.'),
      conflict: trans.__('The lab’s new version of the cell above, which you have changed:'),
    };
    const before = keeper.content();
    const result = this.updates.merge(update, before, texts);
    const answer = await showDialog({
      title: trans.__('Update %1 to version %2?', update.manifest.id, update.manifest.version),
      body: planBody(result, trans),
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Update') })],
    });
    if (!answer.button.accept || keeper.isDisposed) {
      return;
    }
    try {
      // The notebook may have changed while the dialog was open, for example by a running cell.
      const now = keeper.content();
      const copy = await keeper.replace(this.updates.merge(update, now, texts).notebook);
      await keeper.context.save();
      const renamed = await this.updates.done(update);
      this.found.delete(keeper);
      this.changedSignal.emit();
      const copies = [...(copy ? [copy] : []), ...renamed.map(one => PathExt.basename(one))];
      const message = copies.length
        ? trans.__('The lab is up to date. What you had before is in %1.', copies.join(', '))
        : trans.__('The lab is up to date. Your notebook of before is in the history.');
      Notification.success(message, {
        autoClose: 30_000,
        actions: [{ label: trans.__('Undo'), callback: () => void this.undo(keeper, update, now) }],
      });
    } catch (error) {
      await showErrorMessage(trans.__('Update'), (error as Error).message);
    }
  }

  private async undo(keeper: UpdatableNotebook, update: LabUpdate, before: nbformat.INotebookContent): Promise<void> {
    if (!keeper.isDisposed) {
      await keeper.replace(before);
      await keeper.context.save();
      await this.updates.undone(update);
      this.found.set(keeper, update);
      this.changedSignal.emit();
    }
  }
}

/** What an update does, in words, and its conflicts. */
function planBody({ changed, added, moved, conflicts }: UpdateResult, trans: TranslationBundle): Widget {
  const lines = [
    trans.__('What you have written stays. A copy of the notebook is kept.'),
    ...(changed ? [trans._n('%1 cell of the lab changes.', '%1 cells of the lab change.', changed)] : []),
    ...(added ? [trans._n('%1 cell is new.', '%1 cells are new.', added)] : []),
    ...(moved ? [trans._n('%1 cell moves to the end.', '%1 cells move to the end.', moved)] : []),
  ];
  const body = new Widget({ node: element('div', 'bg-panel') });
  body.node.tabIndex = 0; // in a small window it scrolls, also by keys
  body.node.append(...lines.map(line => element('p', '', line)));
  if (conflicts.length) {
    const text = trans._n(
      '%1 cell was changed by you and by the lab. Yours stays, and the lab’s is put below it as text:',
      '%1 cells were changed by you and by the lab. Yours stay, and the lab’s are put below them as text:',
      conflicts.length,
    );
    body.node.append(element('p', '', text), ...conflicts.map(one => conflictView(one, trans)));
  }
  return body;
}

function conflictView({ mine, site }: Conflict, trans: TranslationBundle): HTMLElement {
  const side = (label: string, source: string): HTMLElement[] => [
    element('h3', '', label),
    element('pre', 'bg-lines', visible(source, MAX_SHOWN)),
  ];
  return element('section', '', ...side(trans.__('Yours'), mine), ...side(trans.__('The lab’s'), site));
}
