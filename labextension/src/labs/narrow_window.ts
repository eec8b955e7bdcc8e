/**
 * Makes room for the notebook in a narrow window: on phones, and on tablets that are held upright.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';

import { closeLeft, isPhone } from '../shell_sides';

/** In a narrower window, the file browser beside the notebook leaves too little of it. In px. */
const MIN_WIDTH = 900;

export class NarrowWindow {
  /** Whether a lab was opened. */
  private isWanted = false;
  private wasNarrow = isNarrow();

  constructor(private readonly shell: JupyterFrontEnd.IShell) {
    // A tablet is turned, or a page is zoomed: its buttons would be in the toolbar's menu of what has no room.
    window.addEventListener('resize', () => {
      const isCrossing = isNarrow() && !this.wasNarrow;
      this.wasNarrow = isNarrow();
      if (isCrossing && this.isWanted) {
        this.makeRoom();
      }
    });
  }

  /** Closes the left side panel in a narrow window, also in one that becomes narrow later. Its tabs stay, and open it again. */
  makeRoom(): void {
    this.isWanted = true;
    if (isNarrow()) {
      closeLeft(this.shell);
    }
  }
}

/** Closes the left side panel on a phone, for notebooks that belong to no lab, too. */
export function makeRoomOnPhone(shell: JupyterFrontEnd.IShell): void {
  if (isPhone()) {
    closeLeft(shell);
  }
}

export function isNarrow(): boolean {
  return window.innerWidth < MIN_WIDTH;
}
