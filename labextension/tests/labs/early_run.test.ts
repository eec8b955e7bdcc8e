import { readFileSync } from 'node:fs';

import type { ISessionContext } from '@jupyterlab/apputils';
import { expect, it, vi } from 'vitest';

import { waitForFirstKernel } from '../../src/labs/early_run';

/** A notebook that opens as JupyterLab's do: it looks for sessions, and then starts a kernel. */
class Opening {
  isReady = false;
  hasNoKernel = true;
  /** Lets the kernel start. */
  give!: (isThere: boolean) => void;
  private readonly given = new Promise<boolean>(resolve => {
    this.give = resolve;
  });
  readonly start = vi.fn(async () => {
    this.hasNoKernel = !(await this.given);
    return this.hasNoKernel;
  });
  startKernel: () => Promise<boolean> = this.start;
  private opened: Promise<boolean> | null = null;

  initialize(): Promise<boolean> {
    this.opened ??= (async () => {
      await Promise.resolve();
      const isWanted = await this._startIfNecessary();
      this.isReady = !isWanted;
      return isWanted;
    })();
    return this.opened;
  }

  async _startIfNecessary(): Promise<boolean> {
    return this.hasNoKernel ? this.startKernel() : false;
  }
}

function opening(): Opening {
  const notebook = new Opening();
  waitForFirstKernel(notebook as unknown as ISessionContext);
  return notebook;
}

it('gives cells the kernel that the notebook starts', async () => {
  const notebook = opening();
  const early = notebook.startKernel();
  void notebook.initialize();
  const later = notebook.startKernel();
  notebook.give(true);
  expect(await Promise.all([early, later])).toEqual([false, false]);
  expect(notebook.start).toHaveBeenCalledOnce();
});

it('starts a kernel for a cell if opening the notebook has started none', async () => {
  const notebook = opening();
  const cell = notebook.startKernel();
  notebook.give(false);
  expect(await cell).toBe(true);
  expect(notebook.start).toHaveBeenCalledTimes(2);
});

it('starts one as ever when the notebook is open', async () => {
  const notebook = opening();
  notebook.give(true);
  await notebook.initialize();
  notebook.hasNoKernel = true;
  await notebook.startKernel();
  expect(notebook.start).toHaveBeenCalledTimes(2);
});

it("needs a method of JupyterLab's, which is there, and calls `startKernel` before it waits", () => {
  const text = readFileSync('node_modules/@jupyterlab/apputils/lib/sessioncontext.js', 'utf-8');
  const [, body] = /^ {4}async _startIfNecessary\(\) \{\n(.*?)^ {4}\}/ms.exec(text) ?? [];
  expect(body).toContain('return this.startKernel();');
  expect(body).not.toContain('await');
});
