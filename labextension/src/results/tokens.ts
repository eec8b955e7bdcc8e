/**
 * What other parts may ask of the results panel.
 */
import { Token } from '@lumino/coreutils';

export interface Assertion {
  kind: 'pass' | 'fail' | 'error';
  name: string;
  message?: string;
  expectedRepr?: string;
  actualRepr?: string;
  traceback?: string;
  durationMs?: number;
}

/** Content of `application/vnd.browsergrad.assertions.v1+json`. */
export interface AssertionsContent {
  assertions: Assertion[];
  counts: { pass: number; fail: number; error: number };
}

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
