/** Shows a cell of an open notebook. */
import type { NotebookPanel } from '@jupyterlab/notebook';

/** Makes a cell the active one and scrolls to it. Does nothing if the cell is gone. */
export async function goToCell(panel: NotebookPanel, cellId: string): Promise<void> {
  const { content } = panel;
  const index = content.widgets.findIndex(cell => cell.model.id === cellId);
  if (index >= 0) {
    content.activeCellIndex = index;
    content.mode = 'command';
    await content.scrollToItem(index, 'start');
    content.activate();
  }
}
