/**
 * The plugin that keeps students' work: history and drafts in JupyterLite.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { historyIcon } from '@jupyterlab/ui-components';
import { IKernelSpecs } from '@jupyterlite/services';
import type { Widget } from '@lumino/widgets';

import { addCommand, DOWNLOAD_WORK, KEEP_FOLDER, OPEN_WORK, SHOW_HISTORY, type CommandPlace } from '../lab_commands';
import { labServices, type LabServices } from '../labs/lab_services';
import { IWorkPlaces } from '../labs/work_places';
import { ILabResults } from '../results/tokens';
import { backToNotebook } from '../results/panel_head';
import { followSettings, showSettings } from '../results/plugin_settings';
import { WorkActions } from './actions';
import { ArchiveActions } from './archive_actions';
import { siteAddress } from './bases';
import { Copies } from './copies';
import { FolderActions } from './folder_actions';
import type { CheckRecord } from './hand_in';
import type { HandInActions } from './hand_in_actions';
import handIn, { IHandIn } from './hand_in_plugin';
import { labOfNotebook } from './lab_of_notebook';
import { Leaving, type AskChoice } from './leaving';
import { openOriginFiles, pageLocks } from './origin_files';
import { HistoryPanel } from './panel';
import { LabUpdates } from './lab_updates';
import serverUpdates from './server_updates_plugin';
import { UpdateActions } from './update_actions';
import { addUpdateCommand } from './update_command';
import { Work } from './work';

const PLUGIN_ID = 'jupyterlite-browsergrad:work';

const work: JupyterFrontEndPlugin<IWorkPlaces | null> = {
  id: PLUGIN_ID,
  description: 'Students’ work: a history of notebooks and what was typed, in a second store of the browser.',
  autoStart: true,
  provides: IWorkPlaces,
  optional: [
    INotebookTracker,
    IKernelSpecs,
    ICommandPalette,
    ILabResults,
    ITranslator,
    ISettingRegistry,
    IStatusBar,
    IHandIn,
  ],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    specs: IKernelSpecs | null,
    palette: ICommandPalette | null,
    results: ILabResults | null,
    translator: ITranslator | null,
    registry: ISettingRegistry | null,
    statusBar: IStatusBar | null,
    handIn: HandInActions | null,
  ) => {
    if (registry) {
      showSettings(registry, PLUGIN_ID, specs !== null);
    }
    if (!tracker || !specs) {
      return null; // an app without notebooks, or a server, which keeps files itself
    }
    const trans = (translator ?? nullTranslator).load('jupyterlite_browsergrad');
    const page: Page = { app, tracker, palette, results, trans, site: siteAddress(), ...labServices(app, true) };
    const { store, actions, panel } = addHistory(page, one => leaving.of(one));
    const updates = addUpdates(page, store);
    const copies = copiesOf(store, page.site);
    const archives = addArchives(page, store, copies, panel);
    const leaving: Leaving = new Leaving(
      app,
      tracker,
      store,
      copies,
      async path => (await archives.labOf(path)) !== null,
      trans,
    );
    leaving.changed.connect(() => panel.later());
    if (statusBar) {
      leaving.show(statusBar, () => void app.commands.execute(DOWNLOAD_WORK));
    }
    if (handIn) {
      handIn.checksOf = path => checksOf(store, path);
    }
    readSettings(registry, leaving);
    followFiles(page, store, updates);
    // It opens at once, since somebody may type as soon as there is a notebook.
    const opened = store.open(openOriginFiles);
    void Promise.all([opened, app.restored]).then(() => actions.tellMissing());
    return leaving;
  },
};

/** What all parts of the plugin need. */
interface Page extends LabServices, CommandPlace {
  app: JupyterFrontEnd;
  tracker: INotebookTracker;
  results: ILabResults | null;
  /** Address of the site, without the origin. */
  site: string;
}

/** Adds the history and its panel. @param placeOf - returns where the copies of a notebook are. */
function addHistory(
  page: Page,
  placeOf: IWorkPlaces['of'],
): { store: Work; actions: WorkActions; panel: HistoryPanel } {
  const { app, tracker, results, trans, site } = page;
  const showHistory = (): void => void app.commands.execute(SHOW_HISTORY);
  const actions: WorkActions = new WorkActions(app, app.serviceManager.contents, () => store, site, showHistory, trans);
  const store: Work = new Work(tracker, pageLocks, site, {
    onFound: (keeper, found) => actions.tell(keeper, found),
    onGivenBack: () => actions.tellGivenBack(),
    onProblem: error => actions.tellProblem(error),
    counts: path => results?.summary(path) ?? null,
  });
  results?.changed.connect((_, path) => store.checked(path));
  const outside = {
    place: placeOf,
    download: () => void app.commands.execute(DOWNLOAD_WORK),
    open: () => void app.commands.execute(OPEN_WORK),
  };
  const back = (): void => backToNotebook(app.shell, tracker);
  const panel = new HistoryPanel(store, tracker, actions, outside, back, trans);
  panel.id = 'browsergrad-history';
  panel.title.caption = trans.__('History');
  panel.title.icon = historyIcon;
  app.shell.add(panel, 'right', { rank: 910, type: 'History' });
  addCommand(page, SHOW_HISTORY, {
    label: trans.__('Show History'),
    caption: trans.__('Show earlier states of this notebook, to compare and restore'),
    execute: () => app.shell.activateById(panel.id),
  });
  return { store, actions, panel };
}

/** Adds updates of labs. @returns a function that returns them once the store is open. */
function addUpdates(page: Page, store: Work): () => LabUpdates | null {
  const { app, tracker, trans, files, gate, site } = page;
  let updates: LabUpdates | null = null;
  let actions: UpdateActions | null = null;
  store.followed.connect((_, keeper) => {
    if (store.state.kind === 'open' && !actions) {
      updates = new LabUpdates(store.state.files, site, files, gate, app.serviceManager.contents);
      actions = new UpdateActions(updates, trans);
      addUpdateCommand(page, tracker, actions, () => store.keeper(tracker.currentWidget));
    }
    void keeper.context.ready.then(() => actions?.look(keeper));
  });
  return () => updates;
}

/** Returns a function that returns the copies outside the browser; null until it is known whether there is a second store. */
function copiesOf(store: Work, site: string): () => Copies | null {
  let kept: Copies | null = null;
  return () => {
    if (store.state.kind !== 'opening') {
      kept ??= new Copies(store.state.kind === 'open' ? store.state.files : null, site);
    }
    return kept;
  };
}

/** Adds downloads, and the folder that is kept in step. */
function addArchives(page: Page, store: Work, copies: () => Copies | null, panel: HistoryPanel): ArchiveActions {
  const { app, tracker, results, trans, files, gate } = page;
  const { contents } = app.serviceManager;
  const labOf = labOfNotebook(gate);
  const archives = new ArchiveActions(contents, files, tracker, () => store, copies, results, labOf, trans);
  addCommand(page, DOWNLOAD_WORK, {
    label: trans.__('Download My Work'),
    caption: trans.__('Save the files of this notebook’s folder as one .zip file'),
    isEnabled: () => tracker.currentWidget !== null,
    execute: () => archives.download(tracker.currentWidget!.context.path),
  });
  addCommand(page, OPEN_WORK, {
    label: trans.__('Open My Work…'),
    caption: trans.__('Open a file that was made by “Download My Work”'),
    execute: () => archives.choose(),
  });
  const folders = new FolderActions(store, copies, trans);
  addCommand(page, KEEP_FOLDER, {
    label: trans.__('Keep a Folder in Step'),
    caption: trans.__('Write each saved notebook into a folder of this computer as well'),
    isVisible: () => folders.isPossible,
    isEnabled: () => folders.isPossible,
    isToggled: () => folders.isActive,
    execute: async () => {
      await folders.toggle(store.keeper(tracker.currentWidget));
      app.commands.notifyCommandChanged(KEEP_FOLDER);
    },
  });
  takeDrops(panel, file => void archives.open(file));
  return archives;
}

function readSettings(registry: ISettingRegistry | null, leaving: Leaving): void {
  if (registry) {
    void followSettings(registry, PLUGIN_ID, 'students’ work', ({ askBeforeLeaving }) => {
      leaving.ask = askBeforeLeaving as AskChoice;
    });
  }
}

/** Keeps the histories of notebooks that are renamed. */
function followFiles({ app }: Page, store: Work, updates: () => LabUpdates | null): void {
  app.serviceManager.contents.fileChanged.connect((_, { type, oldValue, newValue }) => {
    if (store.state.kind !== 'open' || !oldValue?.path) {
      return;
    }
    const { history } = store.state;
    if (type === 'rename' && newValue?.path) {
      void history.renamed(oldValue.path, newValue.path);
      void updates()?.renamed(oldValue.path, newValue.path);
    } else if (type === 'delete') {
      void history.deleted(oldValue.path);
    }
  });
}

/** Returns the results of a notebook's checks that its history knows, oldest first. */
async function checksOf({ state }: Work, path: string): Promise<CheckRecord[]> {
  if (state.kind !== 'open') {
    return [];
  }
  const { history } = state;
  const infos = await Promise.all((await history.versions(path)).reverse().map(id => history.info(id)));
  return infos.flatMap(info => (info?.counts ? [{ time: new Date(info.time).toISOString(), ...info.counts }] : []));
}

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

export default [handIn, work, serverUpdates];
