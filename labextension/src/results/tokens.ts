/**
 * What other plugins can use of the results panel.
 */
import { Token } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';

import type { AssertionsContent } from '../runtime/events';

export interface ILabResults {
  /** Shows a set of assertions for the notebook at `path`. It replaces an earlier set with the same heading. */
  show(path: string, source: string, content: AssertionsContent): void;
  /** Returns the counts of all sets of a notebook; null if there is none. */
  summary(path: string): AssertionsContent['counts'] | null;
  /** Emits the path of a notebook whose assertions have changed, often while cells run. */
  readonly changed: ISignal<ILabResults, string>;
}

export const ILabResults = new Token<ILabResults>(
  'jupyterlite-browsergrad:ILabResults',
  'A panel of assertions by notebook.',
);
