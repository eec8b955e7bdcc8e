/** The plugin for uploads and downloads in JupyterLite's file browser. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { type FileBrowser, IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IKernelSpecs } from '@jupyterlite/services';

import { DOWNLOAD_DOCUMENT, DownloadCommands } from './download_commands';
import { decodeDownloadsInPieces } from './downloads';
import { TransferNotices } from './progress';
import { storeUploadsOnce } from './uploads';

/** Does nothing in JupyterLab on a server, which has no such token and stores chunks itself. */
const transfers: JupyterFrontEndPlugin<void> = {
  id: 'jupyterlite-browsergrad:transfers',
  description: 'Uploads and downloads of long files: quick, and with a notification that says how far they are.',
  autoStart: true,
  optional: [IKernelSpecs, IDocumentManager, IFileBrowserFactory, ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    specs: IKernelSpecs | null,
    documents: IDocumentManager | null,
    factory: IFileBrowserFactory | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
  ) => {
    if (!specs) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('jupyterlite_browsergrad');
    const { contents } = app.serviceManager;
    const downloads = new TransferNotices((name, percents) =>
      trans.__('Preparing %1 for download: %2 %', name, percents),
    );
    const onProgress = (path: string, fraction: number): void => downloads.show(path, fraction);
    decodeDownloadsInPieces(contents, onProgress);
    const commands = new DownloadCommands(app, { trans, onProgress });
    if (factory) {
      commands.addForFileBrowser(factory);
    }
    if (documents) {
      commands.addForDocuments(documents);
      palette?.addItem({ command: DOWNLOAD_DOCUMENT, category: trans.__('File Operations') });
    }
    storeUploadsOnce(contents, trans);
    const uploads = new TransferNotices((name, percents) => trans.__('Uploading %1: %2 %', name, percents));
    const follow = ({ model }: FileBrowser): void => {
      model.uploadChanged.connect((_, { name, newValue, oldValue }) => {
        if (newValue && name !== 'failure') {
          uploads.show(newValue.path, newValue.progress);
        } else {
          uploads.end((newValue ?? oldValue)?.path ?? '');
        }
      });
    };
    factory?.tracker.forEach(follow);
    factory?.tracker.widgetAdded.connect((_, browser) => follow(browser));
  },
};

export default [transfers];
