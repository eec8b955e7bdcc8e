/**
 * An item of the status bar: a text with a tooltip. It is hidden while the text is empty.
 */
import type { IStatusBar } from '@jupyterlab/statusbar';
import { Widget } from '@lumino/widgets';

export class StatusItem extends Widget {
  /** @param onClick - makes the item a button. */
  constructor(id: string, onClick?: () => void) {
    super({ node: document.createElement(onClick ? 'button' : 'div') });
    this.id = id;
    this.addClass('jp-StatusBar-TextItem');
    if (onClick) {
      this.addClass('bg-status-button');
      this.node.addEventListener('click', onClick);
    }
    this.say('', '');
  }

  say(label: string, tooltip: string): void {
    this.node.hidden = !label;
    this.node.textContent = label;
    this.node.title = this.title.caption = tooltip;
  }

  /** Adds the item on the left. */
  addTo(statusBar: IStatusBar, rank: number): void {
    statusBar.registerStatusItem(this.id, { item: this, align: 'left', rank });
  }
}
