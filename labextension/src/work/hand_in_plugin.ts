/**
 * The plugin that makes hand-in files, on sites and in JupyterLab on a server.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IKernelSpecs } from '@jupyterlite/services';
import { Token } from '@lumino/coreutils';

import { addCommand, MAKE_HAND_IN } from '../lab_commands';
import { labServices } from '../labs/lab_services';
import { ILabResults } from '../results/tokens';
import { followSettings, siteSettings } from '../results/plugin_settings';
import { HandInActions } from './hand_in_actions';
import { labOfNotebook } from './lab_of_notebook';

const PLUGIN_ID = 'jupyterlite-browsergrad:hand-in';

/** Makes hand-in files. Absent in apps without notebooks. */
export const IHandIn = new Token<HandInActions | null>('jupyterlite-browsergrad:IHandIn');

const handIn: JupyterFrontEndPlugin<HandInActions | null> = {
  id: PLUGIN_ID,
  description: 'Makes hand-in files: a notebook with its files and results, encrypted where the site has a key.',
  autoStart: true,
  provides: IHandIn,
  optional: [INotebookTracker, IKernelSpecs, ICommandPalette, ILabResults, ITranslator, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    specs: IKernelSpecs | null,
    palette: ICommandPalette | null,
    results: ILabResults | null,
    translator: ITranslator | null,
    registry: ISettingRegistry | null,
  ) => {
    if (!tracker) {
      return null;
    }
    const trans = (translator ?? nullTranslator).load('jupyterlite_browsergrad');
    const { gate, files } = labServices(app, specs !== null);
    const labOf = labOfNotebook(gate);
    const actions = new HandInActions(app.serviceManager.contents, files, tracker, results, labOf, trans);
    addCommand({ app, palette, trans }, MAKE_HAND_IN, {
      label: trans.__('Make Hand-In File'),
      caption: trans.__('Save this notebook, its files and results as one file for your teacher'),
      isEnabled: () => tracker.currentWidget !== null,
      execute: () => actions.make(tracker.currentWidget!),
    });
    tracker.currentChanged.connect(() => app.commands.notifyCommandChanged(MAKE_HAND_IN));
    actions.publicKey = siteKey();
    if (registry) {
      void followSettings(registry, PLUGIN_ID, 'hand-in files', ({ handInKey }) => {
        actions.publicKey = siteKey() || (handInKey as string).trim();
      });
    }
    return actions;
  },
};

/** The key that the site's author has chosen. Users cannot change it. */
function siteKey(): string {
  const { handInKey } = siteSettings(PLUGIN_ID);
  return typeof handInKey === 'string' ? handInKey.trim() : '';
}

export default handIn;
