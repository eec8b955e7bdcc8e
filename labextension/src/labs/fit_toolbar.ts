/**
 * Keeps the items of a notebook's toolbar inside it.
 */
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

/** A little longer than JupyterLab's toolbar waits between two arrangements, in ms. */
const DEAF_MS = 600;
/** The longest pause, in ms, before a toolbar is asked again to arrange itself. In a very narrow window it may never fit. */
const MAX_PAUSE_MS = 10_000;

/**
 * Makes a toolbar arrange its items until they fit, whenever the size of an item changes.
 *
 * JupyterLab's toolbar measures new items before they are rendered, ignores changes of their sizes, and drops a call that comes
 * while it arranges items or within half a second. Until then the style sheet cuts off what does not fit, so that no second row
 * covers the notebook.
 */
export function arrangeUntilTheyFit(toolbar: Widget): IDisposable {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const arrange = (pause: number): void => {
    const { offsetWidth, offsetHeight } = toolbar.node;
    if (toolbar.isVisible) {
      MessageLoop.sendMessage(toolbar, new Widget.ResizeMessage(offsetWidth, offsetHeight));
    }
    timer = setTimeout(() => {
      if (hasItemsOutside(toolbar.node)) {
        arrange(Math.min(pause * 1.2, MAX_PAUSE_MS));
      }
    }, pause);
  };
  const observer = new ResizeObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(arrange, DEAF_MS, DEAF_MS);
  });
  for (const item of toolbar.node.children) {
    observer.observe(item);
  }
  return new DisposableDelegate(() => {
    clearTimeout(timer);
    observer.disconnect();
  });
}

function hasItemsOutside(bar: HTMLElement): boolean {
  const { bottom, right } = bar.getBoundingClientRect();
  return [...bar.children].some(item => {
    const box = item.getBoundingClientRect();
    return box.width > 0 && (box.bottom > bottom + 1 || box.right > right + 1);
  });
}
