/**
 * The commands *Download* of the file browser and of open documents, in JupyterLite.
 *
 * JupyterLite's own make an address of the whole file. Firefox and WebKit refuse long addresses, and the page shows nothing while the
 * file is prepared. This package's `package.json` switches off the plugin that has them.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { showErrorMessage } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import type { TranslationBundle } from '@jupyterlab/translation';
import { downloadIcon } from '@jupyterlab/ui-components';

import { download } from '../download';
import { fileOf } from './downloads';

const DOWNLOAD_FILES = 'filebrowser:download';
export const DOWNLOAD_DOCUMENT = 'docmanager:download';

export interface DownloadOptions {
  trans: TranslationBundle;
  /** Gets a file's path and how much of it is ready, between 0 and 1; 1 at the end, also of a failed download. */
  onProgress: (path: string, fraction: number) => void;
}

export class DownloadCommands {
  constructor(
    private readonly app: JupyterFrontEnd,
    private readonly options: DownloadOptions,
  ) {}

  /** Downloads what is selected in the file browser. */
  addForFileBrowser({ tracker }: Pick<IFileBrowserFactory, 'tracker'>): void {
    this.add(DOWNLOAD_FILES, {
      icon: ({ isMenu }) => (isMenu ? undefined : downloadIcon.bindprops({ stylesheet: 'menuItem' })),
      execute: async () => {
        for (const { type, path, name } of tracker.currentWidget?.selectedItems() ?? []) {
          if (type !== 'directory') {
            await this.download(path, name);
          }
        }
      },
    });
  }

  /** Saves the open document and downloads it. */
  addForDocuments(documents: Pick<IDocumentManager, 'contextForWidget'>): void {
    const { shell } = this.app;
    const current = () => (shell.currentWidget ? documents.contextForWidget(shell.currentWidget) : undefined);
    this.add(DOWNLOAD_DOCUMENT, {
      caption: this.options.trans.__('Download the file to your computer'),
      isEnabled: () => Boolean(current()),
      execute: async () => {
        const context = current();
        if (context) {
          await context.save();
          await this.download(context.path, context.localPath.replace(/^.*\//, ''));
        }
      },
    });
  }

  /** Leaves a command alone that another plugin has added. */
  private add(id: string, options: Parameters<JupyterFrontEnd['commands']['addCommand']>[1]): void {
    const { commands } = this.app;
    if (!commands.hasCommand(id)) {
      commands.addCommand(id, {
        label: this.options.trans.__('Download'),
        describedBy: { args: { type: 'object', properties: {} } },
        ...options,
      });
    }
  }

  private async download(path: string, name: string): Promise<void> {
    const { onProgress, trans } = this.options;
    try {
      download(name, await fileOf(this.app.serviceManager.contents, path, onProgress));
    } catch (error) {
      await showErrorMessage(trans.__('%1 cannot be downloaded', name), error as Error);
    }
  }
}
