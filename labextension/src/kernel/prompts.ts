/**
 * Names input prompts for screen readers, and closes those that no code waits for. JupyterLab gives the field no name, and leaves
 * the prompt on the screen when its cell was interrupted or its kernel has ended.
 */
import type { KernelMessage } from '@jupyterlab/services';
import type { ISignal } from '@lumino/signaling';
import type { Widget } from '@lumino/widgets';

/** The part of `OutputArea` that is used. Importing `@jupyterlab/outputarea` would bundle all of it. */
interface OutputArea extends Widget {
  readonly future?: { readonly msg: KernelMessage.IMessage; readonly done: Promise<unknown> } | null;
  /** Emitted when a prompt is on the screen. */
  readonly inputRequested?: ISignal<OutputArea, Widget>;
}

const STDIN_ITEM_CLASS = 'jp-OutputArea-stdin-item';

function* descendants(widget: Widget): Generator<Widget> {
  yield widget;
  // A notebook's `widgets` are all its cells; its children are only the cells in view.
  for (const child of (widget as { widgets?: readonly Widget[] }).widgets ?? widget.children()) {
    yield* descendants(child);
  }
}

function* areasOf(roots: Iterable<Widget>, msgId: string): Generator<OutputArea> {
  for (const root of roots) {
    for (const widget of descendants(root)) {
      if ((widget as OutputArea).future?.msg?.header.msg_id === msgId) {
        yield widget as OutputArea;
      }
    }
  }
}

/** Says what Python asks. It is in the page before the first prompt, so that screen readers read its text out. */
let live: HTMLElement | null = null;

/** Adds the part of the page that screen readers read out. */
export function prepareAnnouncements(): void {
  live ??= document.createElement('div');
  live.className = 'bg-unseen bg-prompt-status';
  live.setAttribute('role', 'status');
  document.body.append(live);
}

/**
 * Gives the next prompt of the request `msgId` a name, and tells screen readers. To be called before the front end gets the
 * `input_request`.
 */
export function announcePrompt(roots: Iterable<Widget>, msgId: string, prompt: string): void {
  const text = prompt.trim();
  for (const area of areasOf(roots, msgId)) {
    const name = (_: unknown, { node }: Widget): void => {
      area.inputRequested?.disconnect(name);
      const field = node.querySelector('input');
      field?.setAttribute('aria-label', text || 'Input for Python');
      field?.setAttribute('enterkeyhint', 'send'); // on the keyboards of touch screens
      if (live) {
        live.textContent = text ? `Python asks: ${text}` : 'Python waits for input';
      }
    };
    area.inputRequested?.connect(name);
  }
}

/** Removes the prompts of the request `msgId` from the widgets in `roots`, once the request is done. */
export async function closePrompts(roots: Iterable<Widget>, msgId: string): Promise<void> {
  for (const area of areasOf(roots, msgId)) {
    await area.future!.done.catch(() => undefined); // its prompt may not have appeared yet
    [...area.children()].filter(child => child.hasClass(STDIN_ITEM_CLASS)).forEach(child => child.dispose());
  }
}
