/**
 * The plugin that keeps students' work: history and drafts in JupyterLite.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { historyIcon } from '@jupyterlab/ui-components';
import { IKernelSpecs } from '@jupyterlite/services';

import { labServices } from '../labs/lab_services';
import { ILabResults } from '../results/tokens';
import { WorkActions } from './actions';
import type { NotebookKeeper } from './keeper';
import { openOriginFiles, pageLocks } from './origin_files';
import { HistoryPanel } from './panel';
import { LabUpdates } from './lab_updates';
import { UpdateActions } from './update_actions';
import { Work } from './work';

const PLUGIN_ID = 'jupyterlite-browsergrad:work';
export const SHOW_HISTORY = 'browsergrad:show-history';
export const UPDATE = 'browsergrad:update-lab';

const work: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Students’ work: a history of notebooks and what was typed, in a second store of the browser.',
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
    if (!tracker || !specs) {
      return; // an app without notebooks, or a server, which keeps files itself
    }
    const trans = (translator ?? nullTranslator).load('jupyterlite_browsergrad');
    const site = new URL(PageConfig.getBaseUrl(), location.href).pathname;
    const { contents } = app.serviceManager;
    const showHistory = (): void => void app.commands.execute(SHOW_HISTORY);
    const actions: WorkActions = new WorkActions(app, contents, () => store, site, showHistory, trans);
    const store = new Work(tracker, pageLocks, site, {
      onFound: (keeper, found) => actions.tell(keeper, found),
      onProblem: error => console.warn('[browsergrad] the history was not written:', error),
      counts: path => results?.summary(path) ?? null,
    });
    const panel = new HistoryPanel(store, tracker, actions, trans);
    panel.id = 'browsergrad-history';
    panel.title.caption = trans.__('History');
    panel.title.icon = historyIcon;
    app.shell.add(panel, 'right', { rank: 910, type: 'History' });
    app.commands.addCommand(SHOW_HISTORY, {
      label: trans.__('Show History'),
      caption: trans.__('Show earlier states of this notebook, to compare and restore'),
      execute: () => app.shell.activateById(panel.id),
      describedBy: { args: { type: 'object', properties: {} } },
    });
    palette?.addItem({ command: SHOW_HISTORY, category: trans.__('Lab') });
    const current = (): NotebookKeeper | undefined => store.keeper(tracker.currentWidget);
    let updates: LabUpdates | null = null;
    let updateActions: UpdateActions | null = null;
    app.commands.addCommand(UPDATE, {
      label: trans.__('Update Lab…'),
      caption: trans.__('Bring the lab’s new version into this notebook; what you have written stays'),
      isEnabled: () => updateActions?.known(current()) !== undefined,
      isVisible: () => updateActions?.known(current()) !== undefined,
      execute: () => updateActions?.update(current()!),
      describedBy: { args: { type: 'object', properties: {} } },
    });
    palette?.addItem({ command: UPDATE, category: trans.__('Lab') });
    store.followed.connect((_, keeper) => {
      if (store.state.kind === 'open' && !updateActions) {
        const { files, gate } = labServices(app, true);
        updates = new LabUpdates(store.state.files, site, files, gate, contents);
        updateActions = new UpdateActions(updates, trans);
        updateActions.changed.connect(() => app.commands.notifyCommandChanged(UPDATE));
      }
      void keeper.context.ready.then(() => updateActions?.look(keeper));
    });
    tracker.currentChanged.connect(() => app.commands.notifyCommandChanged(UPDATE));
    contents.fileChanged.connect((_, { type, oldValue, newValue }) => {
      if (store.state.kind !== 'open' || !oldValue?.path) {
        return;
      }
      const { history } = store.state;
      if (type === 'rename' && newValue?.path) {
        void history.renamed(oldValue.path, newValue.path);
        void updates?.renamed(oldValue.path, newValue.path);
      } else if (type === 'delete') {
        void history.deleted(oldValue.path);
      }
    });
    void app.restored.then(async () => {
      await store.open(openOriginFiles);
      await actions.tellMissing();
    });
  },
};

export default [work];
