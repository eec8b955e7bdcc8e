/**
 * What other parts may ask of the results panel.
 */
import { Token } from '@lumino/coreutils';

import type { AssertionsContent } from '../runtime/events';

export interface ILabResults {
  /** Shows a set of assertions for the notebook at `path`, in place of the earlier set of that heading. */
  show(path: string, source: string, content: AssertionsContent): void;
  /** Counts of all sets of a notebook; null where there is none. */
  summary(path: string): AssertionsContent['counts'] | null;
}

export const ILabResults = new Token<ILabResults>(
  'jupyterlite-browsergrad:ILabResults',
  'A panel of assertions by notebook.',
);
