/**
 * The plugin of the side panel *Lab results*.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { checkIcon } from '@jupyterlab/ui-components';

import { addCommand, DOWNLOAD_RESULTS, SHOW_RESULTS } from '../lab_commands';
import { followSettings, siteSettings } from './plugin_settings';
import { ResultsPanel } from './panel';
import { backToNotebook } from './panel_head';
import { EmbeddingPage, readOrigin } from './embedding_page';
import { LabResults } from './lab_results';
import { ILabResults } from './tokens';

const PLUGIN_ID = 'jupyterlite-browsergrad:results';

const results: JupyterFrontEndPlugin<ILabResults> = {
  id: PLUGIN_ID,
  description: 'A side panel with all assertions of the notebook.',
  autoStart: true,
  optional: [INotebookTracker, ITranslator, ICommandPalette, ISettingRegistry],
  provides: ILabResults,
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker | null,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    registry: ISettingRegistry | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('jupyterlite_browsergrad');
    const store = new LabResults(tracker, number => trans.__('Cell %1', number));
    if (!tracker) {
      return store; // an app without notebooks, such as JupyterLite's REPL
    }
    const panel = new ResultsPanel(store, tracker, trans, {
      download: () =>
        app.commands.hasCommand(DOWNLOAD_RESULTS) && app.commands.isEnabled(DOWNLOAD_RESULTS)
          ? () => void app.commands.execute(DOWNLOAD_RESULTS)
          : null,
      close: () => backToNotebook(app.shell, tracker),
    });
    panel.id = 'browsergrad-lab-results';
    panel.title.caption = trans.__('Lab results');
    panel.title.icon = checkIcon;
    app.shell.add(panel, 'right', { rank: 900, type: 'Lab results' });
    addCommand({ app, palette, trans }, SHOW_RESULTS, {
      label: trans.__('Show Lab Results'),
      execute: () => app.shell.activateById(panel.id),
    });
    tellEmbeddingPage(store, registry);
    return store;
  },
};

/** Reads the origin: from the site's setting, else from JupyterLab's, which `overrides.json` may contain. */
function tellEmbeddingPage(store: LabResults, registry: ISettingRegistry | null): void {
  const page = new EmbeddingPage(store);
  const take = (value: unknown): void => {
    page.origin = readOrigin(value);
    if (value && !page.origin) {
      console.warn(
        `[browsergrad] parentOrigin must be an origin such as "https://school.example", not ${JSON.stringify(value)}: ` +
          'nothing is posted to the embedding page',
      );
    }
  };
  const site = siteSettings(PLUGIN_ID).parentOrigin;
  if (site) {
    take(site);
    return;
  }
  if (registry) {
    void followSettings(registry, PLUGIN_ID, 'Lab results', ({ parentOrigin }) => take(parentOrigin));
  }
}

export default [results];
