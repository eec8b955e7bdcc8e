/**
 * The cells of an open notebook and what their outputs hold of assertions.
 */
import type { CodeCellModel } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';

import { ASSERTIONS_MIME, readAssertions } from '../runtime/events';
import type { AssertionsContent } from './tokens';

/** Makes a cell the active one and brings it into view. */
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

/** Several sets as one. */
export function merge(contents: AssertionsContent[]): AssertionsContent {
  const counts = { pass: 0, fail: 0, error: 0 };
  for (const content of contents) {
    counts.pass += content.counts.pass;
    counts.fail += content.counts.fail;
    counts.error += content.counts.error;
  }
  return { assertions: contents.flatMap(content => content.assertions), counts };
}

/** The assertions among a cell's outputs; null when there are none. */
export function assertionsOf(model: CodeCellModel): AssertionsContent | null {
  const found: AssertionsContent[] = [];
  for (let i = 0; i < model.outputs.length; i++) {
    const content = readAssertions(model.outputs.get(i).data[ASSERTIONS_MIME]);
    if (content) {
      found.push(content);
    }
  }
  return found.length ? merge(found) : null;
}
