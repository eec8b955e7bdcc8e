/**
 * Adds commands of labs, and has the ids of those that several plugins know.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ICommandPalette } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

export const SHOW_RESULTS = 'browsergrad:show-results';
export const DOWNLOAD_RESULTS = 'browsergrad:download-results';
export const MAKE_HAND_IN = 'browsergrad:make-hand-in';
export const SHOW_HISTORY = 'browsergrad:show-history';
export const UPDATE = 'browsergrad:update-lab';
export const DOWNLOAD_WORK = 'browsergrad:download-work';
export const OPEN_WORK = 'browsergrad:open-work';
export const KEEP_FOLDER = 'browsergrad:keep-folder';

/** Where a command is added. */
export interface CommandPlace {
  app: Pick<JupyterFrontEnd, 'commands'>;
  palette: Pick<ICommandPalette, 'addItem'> | null;
  trans: TranslationBundle;
}

/** Adds a command without arguments, to the palette as well. */
export function addCommand(
  { app, palette, trans }: CommandPlace,
  id: string,
  options: CommandRegistry.ICommandOptions,
): void {
  app.commands.addCommand(id, { ...options, describedBy: { args: { type: 'object', properties: {} } } });
  palette?.addItem({ command: id, category: trans.__('Lab') });
}
