/** The metadata `browsergrad` of notebooks that are open, saved or not. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { DocumentRegistry } from '@jupyterlab/docregistry';

/**
 * The metadata of the first open notebook that `isWanted`; undefined where none is open. Its value is undefined where the
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
