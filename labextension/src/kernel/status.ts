/**
 * Shows in the status bar what Stop can do in this page, for the kernel of the front notebook.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IStatusBar } from '@jupyterlab/statusbar';
import { Widget } from '@lumino/widgets';

import type { InterruptMode } from '../runtime/protocol';
import { stopTexts } from './stop_texts';

export interface StatusKernel {
  readonly interruptMode: InterruptMode;
}

/** Shows how the front notebook's kernel can be interrupted; nothing for other kernels. */
export function showStopMode(
  app: JupyterFrontEnd,
  statusBar: IStatusBar,
  kernels: ReadonlyMap<string, StatusKernel>,
): void {
  const item = new Widget();
  item.id = 'jp-browsergrad-stop-mode';
  item.addClass('jp-StatusBar-TextItem');
  const update = (): void => {
    const { context } = (app.shell.currentWidget ?? {}) as { context?: DocumentRegistry.Context };
    const kernel = kernels.get(context?.sessionContext?.session?.kernel?.id ?? '');
    const [label, tooltip] = kernel ? stopTexts(kernel.interruptMode) : ['', ''];
    item.node.textContent = label;
    item.title.caption = item.node.title = tooltip;
  };
  app.shell.currentChanged?.connect(update);
  app.serviceManager.sessions.runningChanged.connect(update);
  kernelsChanged.push(update);
  statusBar.registerStatusItem(item.id, { item, align: 'left', rank: 3 });
}

/** Called when a kernel has started or ended. */
export const kernelsChanged: (() => void)[] = [];
