/**
 * The plugin for labs in notebooks: gate, badge, buttons, commands.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IKernelSpecs } from '@jupyterlite/services';

import { ILabResults } from '../results/tokens';
import { addCommands, CHECK, DOWNLOAD, INSERT, LabActions, RESET } from './commands';
import { labServices } from './lab_services';
import { LabPanel } from './panel';

/** The command of the results panel. */
const SHOW_RESULTS = 'browsergrad:show-results';
const BUTTONS = [
  { command: CHECK, name: 'browsergrad-check' },
  { command: INSERT, name: 'browsergrad-starter' },
  { command: RESET, name: 'browsergrad-reset' },
  { command: DOWNLOAD, name: 'browsergrad-download' },
];

const labs: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlite-browsergrad:labs',
  description: 'Lab manifests: checked before anything runs; badge, datasets, Check my work.',
  autoStart: true,
  optional: [INotebookTracker, IKernelSpecs, ICommandPalette, ILabResults, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    specs: IKernelSpecs | null,
    palette: ICommandPalette | null,
    results: ILabResults | null,
    translator: ITranslator | null,
  ) => {
    if (!tracker) {
      return; // an app without notebooks, such as JupyterLite's REPL
    }
    const trans = (translator ?? nullTranslator).load('jupyterlite_browsergrad');
    const isSite = specs !== null;
    const services = labServices(app, isSite);
    const panels = new WeakMap<NotebookPanel, LabPanel>();
    const current = (): LabPanel | null => (tracker.currentWidget ? (panels.get(tracker.currentWidget) ?? null) : null);
    const notify = (): void => BUTTONS.forEach(({ command }) => app.commands.notifyCommandChanged(command));
    const add = (panel: NotebookPanel): void => {
      const refusesItself = (name: string): boolean => isSite && name === 'browsergrad';
      const lab = new LabPanel(panel, services, app.commands, BUTTONS, refusesItself, trans);
      panels.set(panel, lab);
      lab.changed.connect(notify);
    };
    const reveal = (): void => {
      if (app.commands.hasCommand(SHOW_RESULTS)) {
        void app.commands.execute(SHOW_RESULTS);
      }
    };
    const actions = new LabActions(services, app.serviceManager.contents, results, reveal, trans);
    addCommands(app.commands, actions, current, trans);
    tracker.forEach(add);
    tracker.widgetAdded.connect((_, panel) => add(panel));
    tracker.currentChanged.connect(notify);
    for (const { command } of BUTTONS) {
      palette?.addItem({ command, category: trans.__('Lab') });
    }
  },
};

export default [labs];
