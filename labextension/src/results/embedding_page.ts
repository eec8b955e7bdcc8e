/**
 * Sends the results of checks to the embedding page. It must have the one origin that the site names.
 */
import type { ISignal } from '@lumino/signaling';

/** The results to send; `LabResults` has them. */
export interface PostedResults {
  /** Emits the path of a notebook whose results have changed. */
  readonly changed: ISignal<unknown, string>;
  /** Null if the notebook has no results. */
  summary(path: string): object | null;
  full(path: string): object;
}

/** Ms between two messages while cells run. */
const INTERVAL_MS = 500;

/**
 * Returns an origin such as `https://school.example` in the form that browsers use; null for anything else. `self` is this page's
 * own origin, for a package for a learning platform, whose host is not known when it is made.
 */
export function readOrigin(value: unknown): string | null {
  if (typeof value !== 'string') {
    return null;
  }
  if (value === 'self') {
    return readOrigin(globalThis.location.origin);
  }
  try {
    const url = new URL(value);
    return /^https?:$/.test(url.protocol) && url.origin === value ? value : null;
  } catch {
    return null;
  }
}

export class EmbeddingPage {
  /** If null, nothing is sent. */
  origin: string | null = null;
  private readonly waiting = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(
    private readonly results: PostedResults,
    private readonly target: Window | null = window.parent === window ? null : window.parent,
  ) {
    results.changed.connect((_, path) => this.later(path));
  }

  private later(path: string): void {
    if (!this.target || this.waiting.has(path)) {
      return;
    }
    const timer = setTimeout(() => {
      this.waiting.delete(path);
      if (this.origin && this.results.summary(path)) {
        const message = { type: 'browsergrad:results', version: 1, results: this.results.full(path) };
        this.target?.postMessage(message, this.origin);
      }
    }, INTERVAL_MS);
    this.waiting.set(path, timer);
  }
}
