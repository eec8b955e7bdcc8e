/** Reads the metadata `browsergrad` of open notebooks, which may have changes that are not saved. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { DocumentRegistry } from '@jupyterlab/docregistry';

/**
 * Returns the metadata of the first open notebook that `isWanted`, or undefined if none is open. `value` is undefined if the
 * notebook has no such metadata.
 */
export function openNotebookMetadata(
  shell: JupyterFrontEnd.IShell,
  isWanted: (context: DocumentRegistry.Context) => boolean,
): { value: unknown } | undefined {
  for (const widget of shell.widgets('main')) {
    const { context } = widget as { context?: DocumentRegistry.Context };
    const model = context?.model as { getMetadata?(key: string): unknown } | undefined;
    if (context && model?.getMetadata && isWanted(context)) {
      return { value: model.getMetadata('browsergrad') };
    }
  }
  return undefined;
}
