/**
 * Puts *Run* and *Stop* before JupyterLab's other buttons in the toolbar of a notebook. In a narrow window, most of them are in the toolbar's menu.
 */
import type { Toolbar } from '@jupyterlab/ui-components';
import type { Widget } from '@lumino/widgets';

import { isNarrow } from './narrow_window';

/** JupyterLab's names of the two items. */
const FIRST = ['run', 'interrupt'];

/** Name of a lab's main button, which comes before them. */
export const CHECK_ITEM = 'browsergrad-check';

/** Does so if the window is narrow, as soon as the toolbar has both. In a page that is loaded again, JupyterLab adds its buttons after it has opened the notebook. */
export function putRunFirst(toolbar: Toolbar): void {
  if (isNarrow() && !tryToPut(toolbar)) {
    const observer = new MutationObserver(() => {
      if (toolbar.isDisposed || tryToPut(toolbar)) {
        observer.disconnect();
      }
    });
    observer.observe(toolbar.node, { childList: true });
  }
}

/** @returns whether the toolbar has both items. */
function tryToPut(toolbar: Toolbar): boolean {
  const items = [...toolbar.children()];
  const named = (name: string): Widget | undefined => items.find(({ node }) => node.dataset.jpItemName === name);
  const first = FIRST.map(name => [name, named(name)] as const);
  if (!first.every(([, item]) => item)) {
    return false;
  }
  const begin = named(CHECK_ITEM) ? 1 : 0;
  first.forEach(([name, item], index) => {
    item!.parent = null; // a name can be inserted once
    toolbar.insertItem(begin + index, name, item!);
  });
  return true;
}

/** The number of items that come first in a narrow window. */
export function itemsBefore(): number {
  return isNarrow() ? FIRST.length : 0;
}
