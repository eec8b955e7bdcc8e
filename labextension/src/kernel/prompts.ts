/**
 * Closes input prompts that no code waits for. JupyterLab leaves the prompt on the screen when its cell was interrupted or its
 * kernel has ended.
 */
import type { KernelMessage } from '@jupyterlab/services';
import type { Widget } from '@lumino/widgets';

/** The part of `OutputArea` that is used. Importing `@jupyterlab/outputarea` would bundle all of it. */
interface OutputArea extends Widget {
  readonly future?: { readonly msg: KernelMessage.IMessage; readonly done: Promise<unknown> } | null;
}

const STDIN_ITEM_CLASS = 'jp-OutputArea-stdin-item';

function* descendants(widget: Widget): Generator<Widget> {
  yield widget;
  // A notebook's `widgets` are all its cells; its children are only the cells in view.
  for (const child of (widget as { widgets?: readonly Widget[] }).widgets ?? widget.children()) {
    yield* descendants(child);
  }
}

/** Removes the prompts of the request `msgId` from the widgets in `roots`, once the request is done. */
export async function closePrompts(roots: Iterable<Widget>, msgId: string): Promise<void> {
  for (const root of roots) {
    for (const widget of descendants(root)) {
      const { future } = widget as OutputArea;
      if (future?.msg?.header.msg_id === msgId) {
        await future.done.catch(() => undefined); // its prompt may not have appeared yet
        [...widget.children()].filter(child => child.hasClass(STDIN_ITEM_CLASS)).forEach(child => child.dispose());
      }
    }
  }
}
