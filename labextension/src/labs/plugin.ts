/**
 * The plugin for labs in notebooks: gate, toolbar, commands.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IKernelSpecs } from '@jupyterlite/services';
import { DisposableDelegate } from '@lumino/disposable';

import {
  DOWNLOAD_RESULTS,
  DOWNLOAD_WORK,
  KEEP_FOLDER,
  MAKE_HAND_IN,
  OPEN_WORK,
  SHOW_HISTORY,
  SHOW_RESULTS,
  UPDATE,
} from '../lab_commands';
import { ILabResults } from '../results/tokens';
import { addCommands, CHECK, INSERT, LabActions, RESET } from './commands';
import { labServices } from './lab_services';
import { LabToolbar } from './lab_toolbar';
import { waitForFirstKernel } from './early_run';
import { makeRoomOnPhone, NarrowWindow } from './narrow_window';
import { LabPanel, type AddToolbar } from './panel';
import { putRunFirst } from './run_first';
import { letMenusTakeTaps } from './touch_menus';
import { IWorkPlaces } from './work_places';

/** The commands of the menu that opens below the lab's name, in groups. */
const MENU = [
  [SHOW_RESULTS, MAKE_HAND_IN, DOWNLOAD_RESULTS],
  [SHOW_HISTORY, UPDATE, DOWNLOAD_WORK, OPEN_WORK, KEEP_FOLDER],
  [INSERT, RESET],
];
/** The commands that depend on the front notebook. */
const COMMANDS = [CHECK, INSERT, RESET, DOWNLOAD_RESULTS];

const labs: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlite-browsergrad:labs',
  description: 'Lab manifests: checked before anything runs; toolbar, datasets, Check my work.',
  autoStart: true,
  optional: [INotebookTracker, IKernelSpecs, ICommandPalette, ILabResults, ITranslator, IWorkPlaces],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    specs: IKernelSpecs | null,
    palette: ICommandPalette | null,
    results: ILabResults | null,
    translator: ITranslator | null,
    places: IWorkPlaces | null,
  ) => {
    if (!tracker) {
      return; // an app without notebooks, such as JupyterLite's REPL
    }
    letMenusTakeTaps();
    const trans = (translator ?? nullTranslator).load('jupyterlite_browsergrad');
    const isSite = specs !== null;
    const services = labServices(app, isSite);
    const panels = new WeakMap<NotebookPanel, LabPanel>();
    const current = (): LabPanel | null => (tracker.currentWidget ? (panels.get(tracker.currentWidget) ?? null) : null);
    const notify = (): void => COMMANDS.forEach(command => app.commands.notifyCommandChanged(command));
    const narrow = new NarrowWindow(app.shell);
    const reveal = (): void => {
      narrow.makeRoom();
      if (app.commands.hasCommand(SHOW_RESULTS)) {
        void app.commands.execute(SHOW_RESULTS);
      }
    };
    const actions = new LabActions(services, app.serviceManager.contents, results, reveal, trans);
    const addToolbar: AddToolbar = (panel, { id, version }) => {
      narrow.makeRoom();
      actions.forget(panel);
      const options = { id, version, check: CHECK, download: DOWNLOAD_WORK, menu: MENU };
      const toolbar = new LabToolbar(panel.toolbar, app.commands, options, trans);
      const showState = (_: unknown, changed: NotebookPanel): void => {
        if (changed === panel) {
          toolbar.show(actions.state(panel));
        }
      };
      const showPlace = (_: unknown, changed: NotebookPanel): void => {
        if (changed === panel) {
          toolbar.showPlace(places?.of(panel) ?? null);
        }
      };
      showState(null, panel);
      showPlace(null, panel);
      actions.changed.connect(showState);
      places?.changed.connect(showPlace);
      return new DisposableDelegate(() => {
        actions.changed.disconnect(showState);
        places?.changed.disconnect(showPlace);
        toolbar.dispose();
      });
    };
    const add = (panel: NotebookPanel): void => {
      waitForFirstKernel(panel.sessionContext);
      putRunFirst(panel.toolbar);
      makeRoomOnPhone(app.shell);
      const refusesItself = (name: string): boolean => isSite && name === 'browsergrad';
      const lab = new LabPanel(panel, services, addToolbar, refusesItself, trans);
      panels.set(panel, lab);
      lab.changed.connect(notify);
    };
    addCommands({ app, palette, trans }, actions, current);
    tracker.forEach(add);
    tracker.widgetAdded.connect((_, panel) => add(panel));
    tracker.currentChanged.connect(notify);
  },
};

export default [labs];
