/**
 * The assertions among the outputs of a notebook's cells.
 */
import type { CodeCellModel } from '@jupyterlab/cells';

import { ASSERTIONS_MIME, readAssertions, type AssertionsContent } from '../runtime/events';

/** Merges several sets. */
export function merge(contents: AssertionsContent[]): AssertionsContent {
  const counts = { pass: 0, fail: 0, error: 0 };
  const points = { earned: 0, possible: 0 };
  for (const content of contents) {
    counts.pass += content.counts.pass;
    counts.fail += content.counts.fail;
    counts.error += content.counts.error;
    points.earned += content.points?.earned ?? 0;
    points.possible += content.points?.possible ?? 0;
  }
  const assertions = contents.flatMap(content => content.assertions);
  return { assertions, counts, ...(contents.some(content => content.points) ? { points } : {}) };
}

/** Returns the assertions among a cell's outputs; null if there are none. */
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
