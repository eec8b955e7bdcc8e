/**
 * The gate and the datasets of this page, shared by kernels and notebooks.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';

import { Notice } from '../notice';
import { Datasets, type DatasetEvents } from './datasets';
import { ContentsFiles } from './files';
import { LabGate } from './gate';
import { RUNTIME_VERSION } from './version';

export interface LabServices {
  files: ContentsFiles;
  gate: LabGate;
  datasets: Datasets;
  /** Whether this is JupyterLite, where the page gives datasets to Python. */
  isSite: boolean;
}

let services: LabServices | null = null;

/** @param isSite - whether this is JupyterLite. */
export function labServices(app: JupyterFrontEnd, isSite: boolean): LabServices {
  if (!services) {
    const { contents } = app.serviceManager;
    const files = new ContentsFiles(contents, app.shell, isSite);
    const gate = new LabGate(files, RUNTIME_VERSION);
    contents.fileChanged.connect((_, { oldValue, newValue }) => {
      for (const path of new Set([oldValue?.path, newValue?.path])) {
        if (path) {
          gate.fileChanged(path.replace(/^\//, ''));
        }
      }
    });
    // JupyterLab does not report changes made in other tabs or on the server.
    document.addEventListener('visibilitychange', () => document.hidden || gate.forget());
    services = { files, gate, isSite, datasets: new Datasets(files, PageConfig.getBaseUrl(), notices()) };
  }
  return services;
}

/** Shows the progress of downloads as notifications. */
function notices(): DatasetEvents {
  const shown = new Map<string, Notice>();
  return {
    onProgress: ({ name, loaded, total }) => {
      const size = `${(loaded / 1e6).toFixed(1)}${total ? ` of ${(total / 1e6).toFixed(1)}` : ''} MB`;
      const message = `Loading dataset ${name}: ${size}`;
      const progress = total ? Math.min(loaded / total, 1) : undefined;
      const notice = shown.get(name);
      if (notice) {
        notice.update(message, progress);
      } else {
        shown.set(name, new Notice(message, progress));
      }
    },
    onEnd: (name, error) => {
      const notice = shown.get(name);
      shown.delete(name);
      if (error !== null) {
        notice?.dismiss();
        Notification.error(error, { autoClose: false });
      } else {
        notice?.succeed(`Dataset ${name} is loaded`);
      }
    },
  };
}
