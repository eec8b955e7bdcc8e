/**
 * The plugin that keeps students' work: history and drafts in JupyterLite.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { historyIcon } from '@jupyterlab/ui-components';
import { IKernelSpecs } from '@jupyterlite/services';
import type { Widget } from '@lumino/widgets';

import { labServices } from '../labs/lab_services';
import { ILabResults } from '../results/tokens';
import { WorkActions } from './actions';
import { ArchiveActions } from './archive_actions';
import { Copies } from './copies';
import { FolderActions } from './folder_actions';
import type { NotebookKeeper } from './keeper';
import { Leaving, type AskChoice } from './leaving';
import { openOriginFiles, pageLocks } from './origin_files';
import { HistoryPanel } from './panel';
import { LabUpdates } from './lab_updates';
import { UpdateActions } from './update_actions';
import { Work } from './work';

const PLUGIN_ID = 'jupyterlite-browsergrad:work';
export const SHOW_HISTORY = 'browsergrad:show-history';
export const DOWNLOAD_WORK = 'browsergrad:download-work';
export const OPEN_WORK = 'browsergrad:open-work';
export const KEEP_FOLDER = 'browsergrad:keep-folder';
export const UPDATE = 'browsergrad:update-lab';

const work: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: 'Students’ work: a history of notebooks and what was typed, in a second store of the browser.',
  autoStart: true,
  optional: [INotebookTracker, IKernelSpecs, ICommandPalette, ILabResults, ITranslator, ISettingRegistry, IStatusBar],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    specs: IKernelSpecs | null,
    palette: ICommandPalette | null,
    results: ILabResults | null,
    translator: ITranslator | null,
    registry: ISettingRegistry | null,
    statusBar: IStatusBar | null,
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
        updates = new LabUpdates(store.state.files, site, labFiles, gate, contents);
        updateActions = new UpdateActions(updates, trans);
        updateActions.changed.connect(() => app.commands.notifyCommandChanged(UPDATE));
      }
      void keeper.context.ready.then(() => updateActions?.look(keeper));
    });
    const { gate, files: labFiles } = labServices(app, true);
    const copies = (): Copies | null => {
      if (store.state.kind === 'open') {
        kept ??= new Copies(store.state.files, site);
      }
      return kept;
    };
    let kept: Copies | null = null;
    const labOf = async (path: string): Promise<{ id: string; version: string } | null> => {
      const verdict = await gate.check(path);
      if (verdict.kind !== 'lab') {
        return null;
      }
      const { id, version } = verdict.lab.manifest;
      return { id, version };
    };
    const archives = new ArchiveActions(contents, labFiles, tracker, () => store, copies, results, labOf, trans);
    const isOpen = (): boolean => tracker.currentWidget !== null;
    app.commands.addCommand(DOWNLOAD_WORK, {
      label: trans.__('Download My Work'),
      caption: trans.__('Save the files of this notebook’s folder as one .zip file'),
      isEnabled: isOpen,
      execute: () => archives.download(tracker.currentWidget!.context.path),
      describedBy: { args: { type: 'object', properties: {} } },
    });
    app.commands.addCommand(OPEN_WORK, {
      label: trans.__('Open My Work…'),
      caption: trans.__('Open a file that was made by “Download My Work”'),
      execute: () => archives.choose(),
      describedBy: { args: { type: 'object', properties: {} } },
    });
    const folders = new FolderActions(store, copies, trans);
    app.commands.addCommand(KEEP_FOLDER, {
      label: trans.__('Keep a Folder in Step'),
      caption: trans.__('Write each saved notebook into a folder of this computer as well'),
      isVisible: () => folders.isPossible,
      isEnabled: () => folders.isPossible,
      isToggled: () => folders.isActive,
      execute: async () => {
        await folders.toggle(current());
        app.commands.notifyCommandChanged(KEEP_FOLDER);
      },
      describedBy: { args: { type: 'object', properties: {} } },
    });
    for (const command of [DOWNLOAD_WORK, OPEN_WORK, KEEP_FOLDER]) {
      palette?.addItem({ command, category: trans.__('Lab') });
    }
    takeDrops(panel, file => void archives.open(file));
    const leaving = new Leaving(app, tracker, store, copies, async path => (await labOf(path)) !== null, trans);
    if (statusBar) {
      leaving.show(statusBar, () => void app.commands.execute(DOWNLOAD_WORK));
    }
    void registry?.load(PLUGIN_ID).then(
      settings => {
        const read = (): void => {
          leaving.ask = settings.composite.askBeforeLeaving as AskChoice;
        };
        settings.changed.connect(read);
        read();
      },
      error => console.warn('[browsergrad] the settings of students’ work could not be read:', error),
    );
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

/** Gives the archives that are dropped on a widget to `open`. */
function takeDrops({ node }: Widget, open: (file: File) => void): void {
  const isFile = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;
  node.addEventListener('dragover', event => isFile(event) && event.preventDefault());
  node.addEventListener('drop', event => {
    const file = event.dataTransfer?.files[0];
    if (file) {
      event.preventDefault();
      open(file);
    }
  });
}

export default [work];
