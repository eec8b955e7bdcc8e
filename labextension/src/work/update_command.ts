import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { UpdatableNotebook, UpdateActions } from './update_actions';

const UPDATE = 'browsergrad:update-lab';

/** Adds the command *Update lab*, which is shown if an update of the front notebook is known. */
export function addUpdateCommand(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  palette: ICommandPalette | null,
  trans: TranslationBundle,
  actions: UpdateActions,
  current: () => UpdatableNotebook | null | undefined,
): void {
  const isKnown = (): boolean => actions.known(current() ?? undefined) !== undefined;
  app.commands.addCommand(UPDATE, {
    label: trans.__('Update Lab…'),
    caption: trans.__('Bring the lab’s new version into this notebook; what you have written stays'),
    isEnabled: isKnown,
    isVisible: isKnown,
    execute: () => actions.update(current()!),
    describedBy: { args: { type: 'object', properties: {} } },
  });
  palette?.addItem({ command: UPDATE, category: trans.__('Lab') });
  const notify = (): void => app.commands.notifyCommandChanged(UPDATE);
  actions.changed.connect(notify);
  tracker.currentChanged.connect(notify);
}
