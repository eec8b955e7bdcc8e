import type { INotebookTracker } from '@jupyterlab/notebook';

import { addCommand, UPDATE, type CommandPlace } from '../lab_commands';
import type { UpdatableNotebook, UpdateActions } from './update_actions';

/** Adds the command *Update lab*, which is shown if an update of the front notebook is known. */
export function addUpdateCommand(
  place: CommandPlace,
  tracker: INotebookTracker,
  actions: UpdateActions,
  current: () => UpdatableNotebook | null | undefined,
): void {
  const { app, trans } = place;
  const isKnown = (): boolean => actions.known(current() ?? undefined) !== undefined;
  addCommand(place, UPDATE, {
    label: trans.__('Update Lab…'),
    caption: trans.__('Bring the lab’s new version into this notebook; what you have written stays'),
    isEnabled: isKnown,
    isVisible: isKnown,
    execute: () => actions.update(current()!),
  });
  const notify = (): void => app.commands.notifyCommandChanged(UPDATE);
  actions.changed.connect(notify);
  tracker.currentChanged.connect(notify);
}
