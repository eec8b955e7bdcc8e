import { readFileSync } from 'node:fs';

import type { ISessionContext } from '@jupyterlab/apputils';
import { beforeEach, expect, it, vi } from 'vitest';

import { waitForFirstKernel } from '../../src/labs/early_run';

/** The calls that asked for a kernel. */
const asked = vi.fn();

/** A notebook that opens as JupyterLab's do: it looks for sessions, and then asks for a kernel. */
class Opening {
  isReady = false;
  session: { kernel: object | null } | null = null;
  /** Ends the wait for a kernel: with one, without one, or with an error. */
  give!: (isThere: boolean) => void;
  fail!: (error: Error) => void;
  private isPending = false;
  private opened: Promise<boolean> | null = null;
  private readonly given = new Promise<boolean>((resolve, reject) => {
    this.give = resolve;
    this.fail = reject;
  });

  /** JupyterLab looks at the name of the kernel, which is known before it is there. */
  get hasNoKernel(): boolean {
    return !this.isPending && !this.session?.kernel;
  }

  initialize(): Promise<boolean> {
    this.opened ??= (async () => {
      await Promise.resolve();
      const isWanted = await this._startIfNecessary();
      this.isReady = !isWanted;
      return isWanted;
    })();
    return this.opened;
  }

  async startKernel(): Promise<boolean> {
    try {
      await this._changeKernel();
      return false;
    } catch {
      return true;
    }
  }

  async _startIfNecessary(): Promise<boolean> {
    return this.hasNoKernel ? this.startKernel() : false;
  }

  async _changeKernel(): Promise<void> {
    asked();
    this.isPending = true;
    try {
      this.session = { kernel: (await this.given) ? {} : null };
    } finally {
      this.isPending = false;
    }
  }
}

/** What JupyterLab does before it sends a cell's code. @returns whether it then sends it. */
async function run(notebook: Opening): Promise<boolean> {
  if (notebook.hasNoKernel) {
    await notebook.startKernel();
  }
  return Boolean(notebook.session?.kernel);
}

function opening(): Opening {
  const notebook = new Opening();
  waitForFirstKernel(notebook as unknown as ISessionContext);
  return notebook;
}

beforeEach(() => {
  asked.mockClear();
});

it('gives cells the kernel that the notebook starts, whenever they are run', async () => {
  const notebook = opening();
  const cells = [run(notebook)];
  void notebook.initialize();
  cells.push(run(notebook));
  await vi.waitFor(() => expect(asked).toHaveBeenCalled());
  cells.push(run(notebook)); // JupyterLab has asked for the kernel, and waits for it
  notebook.give(true);
  expect(await Promise.all(cells)).toEqual([true, true, true]);
  expect(asked).toHaveBeenCalledOnce();
});

it('starts a kernel for a cell if opening the notebook has started none', async () => {
  const notebook = opening();
  const cell = run(notebook);
  notebook.give(false);
  expect(await cell).toBe(false);
  expect(asked).toHaveBeenCalledTimes(2);
});

it('ends the wait of a cell when the kernel cannot start', async () => {
  const notebook = opening();
  const cell = run(notebook);
  notebook.fail(new Error('no kernel'));
  expect(await cell).toBe(false);
  expect(notebook.hasNoKernel).toBe(true);
});

it('starts one as ever when the notebook is open', async () => {
  const notebook = opening();
  notebook.give(true);
  await notebook.initialize();
  notebook.session = null;
  expect(await run(notebook)).toBe(true);
  expect(asked).toHaveBeenCalledTimes(2);
});

it('lets cells wait for a kernel that was chosen', async () => {
  const notebook = opening();
  notebook.isReady = true;
  const chosen = notebook._changeKernel();
  const cell = run(notebook);
  notebook.give(true);
  await chosen;
  expect(await cell).toBe(true);
  expect(asked).toHaveBeenCalledOnce();
});

it("needs methods of JupyterLab's, which are there: one calls the other before it waits", () => {
  const text = readFileSync('node_modules/@jupyterlab/apputils/lib/sessioncontext.js', 'utf-8');
  const [, body] = /^ {4}async _startIfNecessary\(\) \{\n(.*?)^ {4}\}/ms.exec(text) ?? [];
  expect(body).toContain('return this.startKernel();');
  expect(body).not.toContain('await');
  expect(text).toContain('async _changeKernel(');
  expect(text).toContain('await this._changeKernel(options);');
});
