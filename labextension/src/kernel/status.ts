/**
 * What Stop can do in this page, told in the status bar for the kernel at the front.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IStatusBar } from '@jupyterlab/statusbar';
import { Widget } from '@lumino/widgets';

import type { InterruptMode } from '../runtime/protocol';

/** What the status bar says of a mode, and the tooltip with what to expect. */
export const STOP_TEXTS: Record<InterruptMode, [label: string, tooltip: string]> = {
  'shared-memory': [
    'Stop: at once',
    'The page is cross-origin isolated: Stop interrupts whatever runs, at once, and variables are kept.',
  ],
  'stack-switching': [
    'Stop: within a moment',
    'The page is not cross-origin isolated: Stop interrupts waiting code at once and running code within ' +
      'a fraction of a second, and variables are kept. Long calls into JavaScript or C end by a restart.',
  ],
  'service-worker': [
    'Stop: within a moment',
    'The page is not cross-origin isolated: running code asks the site’s service worker now and then ' +
      'whether it is to stop. Variables are kept. Code that awaits may need a restart.',
  ],
  none: [
    'Stop: by restart',
    'This page has no way to interrupt running Python: Stop offers to restart the kernel, which loses its ' +
      'variables. Serve the site with COOP and COEP headers, or allow its service worker.',
  ],
};

export interface StatusKernel {
  readonly interruptMode: InterruptMode;
  readonly canInterrupt: boolean;
}

/** Shows the mode of the front notebook's kernel; empty for other kernels. */
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
    const [label, tooltip] = kernel ? STOP_TEXTS[kernel.interruptMode] : ['', ''];
    item.node.textContent = label;
    item.title.caption = item.node.title = tooltip;
  };
  app.shell.currentChanged?.connect(update);
  app.serviceManager.sessions.runningChanged.connect(update);
  kernelsChanged.push(update);
  statusBar.registerStatusItem(item.id, { item, align: 'left', rank: 3 });
}

/** Called when a kernel has booted or is gone. */
export const kernelsChanged: (() => void)[] = [];
