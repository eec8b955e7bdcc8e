/**
 * How long cells may run: by the notebook's metadata `browsergrad.timeout_ms`, where 0 means no limit, else by the user's setting,
 * else by the site's.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';

import { openNotebookMetadata } from '../notebook_metadata';

/** Reads a limit in ms from a file or a setting. @returns undefined if the value is not usable. */
export function readLimit(value: unknown): number | null | undefined {
  if (value === 0) {
    return null;
  }
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
}

/** Returns `browsergrad.timeout_ms` of the open notebook that uses a kernel. */
export function notebookTimeout(shell: JupyterFrontEnd.IShell, kernelId: string): unknown {
  const open = openNotebookMetadata(shell, ({ sessionContext }) => sessionContext?.session?.kernel?.id === kernelId);
  return (open?.value as { timeout_ms?: unknown } | undefined)?.timeout_ms;
}

export class Limits {
  /** The user's setting in ms; 0 means the site's limit. */
  user = 0;

  constructor(
    private readonly site: unknown,
    private readonly notebook: (kernelId: string) => unknown,
  ) {}

  /** Ms that a cell of this kernel may run, null for no limit. */
  of(kernelId: string): number | null {
    for (const value of [this.notebook(kernelId), this.user || undefined, this.site]) {
      const limit = readLimit(value);
      if (limit !== undefined) {
        return limit;
      }
    }
    return null;
  }
}
