/**
 * Makes room for the notebook in a narrow window: on phones, and on tablets that are held upright.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';

/** In a narrower window, the file browser beside the notebook leaves too little of it. In px. */
export const MIN_WIDTH = 900;

/** What shells with side panels can do. */
type SideShell = JupyterFrontEnd.IShell & { collapseLeft?(): void };

export class NarrowWindow {
  constructor(private readonly shell: JupyterFrontEnd.IShell) {}

  /** Closes the left side panel in a narrow window. Its tabs stay, and open it again. */
  makeRoom(): void {
    if (window.innerWidth < MIN_WIDTH) {
      (this.shell as SideShell).collapseLeft?.();
    }
  }
}
