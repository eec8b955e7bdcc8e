/** Answers that are asked for once, texts of a kernel's gate, notices of downloads, and metadata of open notebooks. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { Session } from '@jupyterlab/services';
import { describe, expect, it, vi } from 'vitest';

import { notebookTimeout, readLimit } from '../../src/kernel/limits';
import { AnswerCache } from '../../src/labs/answer_cache';
import type { Datasets } from '../../src/labs/datasets';
import type { LabGate, Verdict } from '../../src/labs/gate';
import { kernelGate, pathsOf } from '../../src/labs/kernel_gate';
import { openNotebookMetadata } from '../../src/notebook_metadata';

describe('cached answers', () => {
  it('are asked for once, and again once they were forgotten', async () => {
    const ask = vi.fn(async (key: string) => `${key}${ask.mock.calls.length}`);
    const cache = new AnswerCache(ask);
    expect(await Promise.all([cache.get('a'), cache.get('a'), cache.get('b')])).toEqual(['a1', 'a1', 'b2']);
    expect([cache.forget(key => key === 'a'), cache.forget(key => key === 'a')]).toEqual([true, false]);
    expect(await Promise.all([cache.get('a'), cache.get('b')])).toEqual(['a3', 'b2']);
  });

  it('that failed are asked for again', async () => {
    const ask = vi.fn().mockRejectedValueOnce(new Error('offline')).mockResolvedValue('there');
    const cache = new AnswerCache<string>(ask);
    await expect(cache.get('a')).rejects.toThrow('offline');
    expect(await cache.get('a')).toBe('there');
  });

  it.each(['resolve', 'reject'] as const)('that were forgotten on their way do not count: %s', async how => {
    const pending: { resolve(value: string): void; reject(error: Error): void }[] = [];
    const cache = new AnswerCache<string>(() => new Promise((resolve, reject) => pending.push({ resolve, reject })));
    const answer = cache.get('a');
    cache.forget(() => true);
    if (how === 'resolve') {
      pending[0].resolve('old');
    } else {
      pending[0].reject(new Error('old'));
    }
    await vi.waitFor(() => expect(pending).toHaveLength(2));
    pending[1].resolve('new');
    expect(await answer).toBe('new');
  });
});

describe('the gate of a kernel', () => {
  const lab = { path: 'manifest.json', manifest: {} } as never;

  function make(verdict: Verdict, hand = vi.fn(async () => undefined)) {
    const gate = { checkAll: vi.fn(async () => verdict) } as unknown as LabGate;
    return { admit: kernelGate(gate, { hand } as unknown as Datasets, async () => ['a.ipynb']), gate, hand };
  }

  it('refuses with the name and text that a cell shows', async () => {
    const { admit } = make({ kind: 'refused', refusal: { path: 'p', message: 'no', errors: [] } });
    expect(await admit(new AbortController().signal)).toEqual({
      refused: { ename: 'LabRuntimeMismatch', evalue: 'no' },
    });
  });

  it.each([
    [{ kind: 'lab', lab } as Verdict, lab],
    [{ kind: 'ordinary' } as Verdict, null],
  ])('hands Python its lab, or none', async (verdict, expected) => {
    const { admit, hand } = make(verdict);
    const admission = await admit(new AbortController().signal);
    const client = { write: vi.fn() };
    await (admission as { prepare(client: object): Promise<void> }).prepare(client);
    expect(hand).toHaveBeenCalledWith(client, expected);
  });

  it('waits no longer than until the cell is stopped', async () => {
    const abort = new AbortController();
    const gate = { checkAll: () => new Promise(() => undefined) } as unknown as LabGate;
    const admission = kernelGate(gate, {} as Datasets, async () => [])(abort.signal);
    abort.abort();
    await expect(admission).rejects.toThrow('interrupted');
    await expect(kernelGate(gate, {} as Datasets, async () => [])(abort.signal)).rejects.toThrow('interrupted');
  });

  it('asks for the notebooks of its kernel, else for its folder', async () => {
    const running = [
      { path: 'a.ipynb', kernel: { id: 'k' } },
      { path: 'b.ipynb', kernel: { id: 'other' } },
      { path: 'c.ipynb', kernel: null },
    ];
    const sessions = { refreshRunning: vi.fn(), running: () => running } as unknown as Session.IManager;
    expect(await pathsOf(sessions, 'k', 'course')).toEqual(['a.ipynb']);
    expect(await pathsOf(sessions, 'none', 'course')).toEqual(['course/']);
    expect(await pathsOf(sessions, 'none', '')).toEqual(['']);
    expect(await pathsOf(sessions, 'none', 'Drive:')).toEqual(['Drive:']);
  });
});

/** A shell with these documents open. */
function shell(...contexts: object[]): JupyterFrontEnd.IShell {
  return { widgets: () => [{}, ...contexts.map(context => ({ context }))] } as unknown as JupyterFrontEnd.IShell;
}
const notebook = (path: string, kernelId: string, metadata: unknown) => ({
  path,
  isReady: true,
  sessionContext: { session: { kernel: { id: kernelId } } },
  model: { getMetadata: (key: string) => (key === 'browsergrad' ? metadata : undefined) },
});

describe('the metadata of open notebooks', () => {
  const open = shell(
    { path: 'a.txt', model: {} },
    notebook('a.ipynb', 'k1', { timeout_ms: 5 }),
    notebook('b.ipynb', 'k2', undefined),
  );

  it('is that of the first notebook that is wanted', () => {
    expect(openNotebookMetadata(open, ({ path }) => path.startsWith('a'))).toEqual({ value: { timeout_ms: 5 } });
    expect(openNotebookMetadata(open, ({ path }) => path === 'b.ipynb')).toEqual({ value: undefined });
    expect(openNotebookMetadata(open, () => false)).toBeUndefined();
  });

  it('limits the cells of its kernel', () => {
    expect(['k1', 'k2', 'none'].map(id => notebookTimeout(open, id))).toEqual([5, undefined, undefined]);
  });
});

describe('a limit', () => {
  it.each([
    [0, null],
    [5, 5],
    [-1, undefined],
    [NaN, undefined],
    [Infinity, undefined],
    ['5', undefined],
    [null, undefined],
  ])('%j means %j', (value, expected) => expect(readLimit(value)).toBe(expected));
});
