/**
 * The plugin for updates of labs in JupyterLab on a server.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IKernelSpecs } from '@jupyterlite/services';

import { labServices } from '../labs/lab_services';
import { followSettings, showSettings } from '../results/plugin_settings';
import { Bases, siteAddress } from './bases';
import { openOriginFiles } from './origin_files';
import { ServerNotebook } from './server_notebook';
import { ServerUpdates } from './server_updates';
import { addUpdateCommand } from './update_command';
import { UpdateActions } from './update_actions';

const PLUGIN_ID = 'jupyterlite-browsergrad:updates';

const updates: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'New versions of labs in JupyterLab on a server, from a folder of the teacher.',
  autoStart: true,
  optional: [INotebookTracker, IKernelSpecs, ICommandPalette, ITranslator, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    specs: IKernelSpecs | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    registry: ISettingRegistry | null,
  ) => {
    if (registry) {
      showSettings(registry, PLUGIN_ID, specs === null);
    }
    if (!tracker || specs || !registry) {
      return; // on sites, the history's plugin updates from the site itself
    }
    const trans = (translator ?? nullTranslator).load('jupyterlite_browsergrad');
    const { gate, files } = labServices(app, false);
    const { contents } = app.serviceManager;
    const read = (path: string): Promise<Uint8Array | null> => files.read(path, new AbortController().signal);
    const found = new ServerUpdates(openBases(), read, gate, contents);
    const actions = new UpdateActions(found, trans);
    const notebooks = new WeakMap<NotebookPanel, ServerNotebook>();
    const look = (panel: NotebookPanel): void => {
      const notebook = notebooks.get(panel) ?? new ServerNotebook(panel.context, contents);
      notebooks.set(panel, notebook);
      void panel.context.ready.then(() => actions.look(notebook));
    };
    const current = (): ServerNotebook | undefined => notebooks.get(tracker.currentWidget!);
    addUpdateCommand({ app, palette, trans }, tracker, actions, current);
    const settingsRead = followSettings(registry, PLUGIN_ID, 'updates', ({ labsFolder }) => {
      found.labsFolder = (labsFolder as string).replace(/^\/+|\/+$/g, '');
      tracker.forEach(look);
    });
    void settingsRead.then(isRead => isRead && tracker.widgetAdded.connect((_, panel) => look(panel)));
  },
};

/** Returns a function that opens what this browser remembers of labs; null if it remembers nothing. */
function openBases(): () => Promise<Bases | null> {
  let opened: Promise<Bases | null> | null = null;
  return () => {
    opened ??= openOriginFiles().then(
      files => new Bases(files, siteAddress()),
      () => null, // then an update does not know what the student began with, and says more conflicts
    );
    return opened;
  };
}

export default updates;
