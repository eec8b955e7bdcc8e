/**
 * Lets cells run that are started before their notebook's kernel is there.
 *
 * Until a notebook has a kernel, JupyterLab starts one for a cell. The notebook then starts another, or connects to this one anew, and the cell's
 * request goes down with the first connection: its output is cleared, and that is all. As soon as JupyterLab has asked for a kernel, it starts no other
 * for the cell, finds that the notebook has none yet, and clears the output, too.
 */
import type { ISessionContext } from '@jupyterlab/apputils';

/** Private methods of JupyterLab's session contexts. */
interface OwnMethods {
  /** Starts a kernel when a notebook opens. It calls `startKernel` before it waits for anything. */
  _startIfNecessary?(): Promise<boolean>;
  /** Asks for a kernel, for all who want one. */
  _changeKernel?(model?: object): Promise<unknown>;
}

/** Lets cells wait for the kernel that a notebook is about to get. They start one themselves only if there is none then. */
export function waitForFirstKernel(context: ISessionContext): void {
  const own = context as ISessionContext & OwnMethods;
  const startOwn = own._startIfNecessary?.bind(context);
  const change = own._changeKernel?.bind(context);
  if (!startOwn || !change) {
    return; // another JupyterLab
  }
  const start = context.startKernel.bind(context);
  let isOpening = false;
  let changing: Promise<unknown> | null = null;
  own._startIfNecessary = () => {
    isOpening = true;
    try {
      return startOwn();
    } finally {
      isOpening = false;
    }
  };
  own._changeKernel = model => {
    const asked = change(model);
    const settled = asked
      .catch(() => undefined) // JupyterLab tells that error
      .then(() => {
        if (changing === settled) {
          changing = null;
        }
      });
    changing = settled;
    return asked;
  };
  const hasKernel = (): boolean => Boolean(context.session?.kernel);
  context.startKernel = async () => {
    if (isOpening || (context.isReady && !changing)) {
      return start();
    }
    if (!context.isReady) {
      await context.initialize().catch(() => undefined); // JupyterLab tells that error
    }
    while (changing) {
      await changing;
    }
    return hasKernel() ? false : start();
  };
  // A kernel that is only asked for is none yet, so that cells call `startKernel`.
  const prototype = Object.getPrototypeOf(context) as object;
  Object.defineProperty(context, 'hasNoKernel', {
    get: () => (changing !== null && !hasKernel()) || (Reflect.get(prototype, 'hasNoKernel', context) as boolean),
  });
}
