/**
 * Shows texts in the status bar about the kernel of the front notebook: what Stop can do, and whether Python's files are kept.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ISessionContext } from '@jupyterlab/apputils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IStatusBar } from '@jupyterlab/statusbar';

import type { InterruptMode } from '../runtime/protocol';
import { StatusItem } from '../status_item';
import { downloadHomeFiles, driveTexts, type MemoryKernel } from './no_drive';
import { stopTexts } from './stop_texts';

export interface StatusKernel extends MemoryKernel {
  readonly interruptMode: InterruptMode;
}

/** Shows how the front notebook's kernel can be interrupted, and whether Python's files are kept; nothing for other kernels. */
export function showStatus(
  app: JupyterFrontEnd,
  statusBar: IStatusBar,
  kernels: ReadonlyMap<string, StatusKernel>,
): void {
  const front = frontKernel(app, kernels);
  showTexts(app, statusBar, 'jp-browsergrad-stop-mode', 3, () => {
    const kernel = front();
    return kernel ? stopTexts(kernel.interruptMode) : ['', ''];
  });
  const files = showTexts(app, statusBar, 'jp-browsergrad-no-drive', 4, () => {
    const kernel = front();
    return kernel ? driveTexts(kernel) : ['', ''];
  });
  files.setAttribute('role', 'button');
  files.addEventListener('click', () => {
    const kernel = front();
    if (kernel) {
      void downloadHomeFiles(kernel);
    }
  });
}

/** Returns a function that finds our kernel of the front notebook or console. */
function frontKernel<T>(app: JupyterFrontEnd, kernels: ReadonlyMap<string, T>): () => T | undefined {
  return () => {
    const { context, sessionContext = context?.sessionContext } = (app.shell.currentWidget ?? {}) as {
      context?: DocumentRegistry.Context;
      sessionContext?: ISessionContext;
    };
    return kernels.get(sessionContext?.session?.kernel?.id ?? '');
  };
}

/** Adds an item with a text and a tooltip to the status bar. @returns its element */
function showTexts(
  app: JupyterFrontEnd,
  statusBar: IStatusBar,
  id: string,
  rank: number,
  texts: () => [label: string, tooltip: string],
): HTMLElement {
  const item = new StatusItem(id);
  const update = (): void => item.say(...texts());
  app.shell.currentChanged?.connect(update);
  app.serviceManager.sessions.runningChanged.connect(update);
  kernelsChanged.push(update);
  item.addTo(statusBar, rank);
  update();
  return item.node;
}

/** Called when a kernel has started or ended. */
export const kernelsChanged: (() => void)[] = [];
