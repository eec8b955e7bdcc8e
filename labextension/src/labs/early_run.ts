/**
 * Lets cells run that are started while their notebook is still opening.
 *
 * Until a notebook has a kernel, JupyterLab starts one for a cell, and the notebook then starts another, or connects to this one anew. The cell's
 * request goes down with the first connection: its output is cleared, and that is all.
 */
import type { ISessionContext } from '@jupyterlab/apputils';

/** The method by which JupyterLab starts a kernel when a notebook opens. It is private, and calls `startKernel` before it waits for anything. */
interface OwnStart {
  _startIfNecessary?(): Promise<boolean>;
}

/** Lets cells wait for the kernel that an opening notebook is about to get. They start one themselves only if there is none then. */
export function waitForFirstKernel(context: ISessionContext): void {
  const own = context as ISessionContext & OwnStart;
  const startOwn = own._startIfNecessary?.bind(context);
  if (!startOwn) {
    return; // another JupyterLab
  }
  const start = context.startKernel.bind(context);
  let isOpening = false;
  own._startIfNecessary = () => {
    isOpening = true;
    try {
      return startOwn();
    } finally {
      isOpening = false;
    }
  };
  context.startKernel = async () => {
    if (!isOpening && !context.isReady) {
      await context.initialize().catch(() => undefined); // JupyterLab tells that error
      return context.hasNoKernel ? start() : false;
    }
    return start();
  };
}
