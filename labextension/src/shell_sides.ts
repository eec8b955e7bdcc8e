/**
 * The side panels of a shell. JupyterLab's and Notebook's shells can close them, others have none.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';

/** In such a window, a side panel leaves a strip of any notebook. */
export const PHONE = '(max-width: 600px)';

export function isPhone(): boolean {
  return window.matchMedia(PHONE).matches;
}

type SideShell = JupyterFrontEnd.IShell & { collapseLeft?(): void; collapseRight?(): void };

export function closeLeft(shell: JupyterFrontEnd.IShell): void {
  (shell as SideShell).collapseLeft?.();
}

/** Closes the panel on the right, which covers the notebook on a phone. */
export function closeRight(shell: JupyterFrontEnd.IShell): void {
  (shell as SideShell).collapseRight?.();
}
