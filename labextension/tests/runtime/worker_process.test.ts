/** If a worker's script does not load, it is requested again, and messages posted to the worker are not lost. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { FromWorker, ToWorker } from '../../src/runtime/protocol';
import { WorkerProcess, type WorkerProcessOptions } from '../../src/runtime/worker_process';

class SilentWorker {
  static made: SilentWorker[] = [];
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  onerror: ((event: { message?: string; preventDefault?(): void }) => void) | null = null;
  onmessageerror: (() => void) | null = null;
  readonly received: ToWorker[] = [];
  isTerminated = false;

  constructor(readonly url?: string) {
    SilentWorker.made.push(this);
  }
  postMessage(message: ToWorker): void {
    this.received.push(message);
  }
  terminate(): void {
    this.isTerminated = true;
  }
}

const clear = (id: number): ToWorker => ({ type: 'clear', id });

function make(options: Partial<WorkerProcessOptions> = {}) {
  const events = { onMessage: vi.fn(), onFailure: vi.fn(), onWarning: vi.fn() };
  const process = new WorkerProcess({
    workerURL: 'https://a.example/worker.js',
    mode: 'kernel',
    ...events,
    ...options,
  });
  return { ...events, process };
}

describe('a worker', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    SilentWorker.made = [];
    vi.stubGlobal('Worker', SilentWorker);
    vi.stubGlobal('fetch', async () => new Response(null, { status: 404 }));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is left alone once it is alive', () => {
    const { onMessage, onWarning, process } = make();
    process.post(clear(1));
    const [worker] = SilentWorker.made;
    worker.onmessage!({ data: { type: 'alive' } });
    worker.onmessage!({ data: { type: 'limit', ms: 5 } });
    vi.advanceTimersByTime(1_000_000);
    expect(SilentWorker.made).toHaveLength(1);
    expect([onMessage.mock.calls, onWarning.mock.calls]).toEqual([[[{ type: 'limit', ms: 5 }]], []]);
  });

  it('that does not come to life is loaded again, with all that was posted, and given up after 70 s', () => {
    const { onFailure, onWarning, process } = make();
    process.post(clear(1));
    vi.advanceTimersByTime(10_000);
    process.post(clear(2));
    vi.advanceTimersByTime(20_000);
    expect(SilentWorker.made.map(({ received, isTerminated }) => [received.length, isTerminated])).toEqual([
      [1, true],
      [2, true],
      [2, false],
    ]);
    expect(onWarning).toHaveBeenLastCalledWith(
      'the worker https://a.example/worker.js has not been loaded within 20 s: it is loaded again',
    );
    vi.advanceTimersByTime(39_999);
    expect(onFailure).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onFailure.mock.lastCall![0]).toContain('within 40 s: is the site still being served?');
  });

  it('that was given is not loaded again', () => {
    const given = new SilentWorker();
    const { onWarning } = make({ worker: given as unknown as Worker });
    vi.advanceTimersByTime(1_000_000);
    expect([SilentWorker.made, onWarning.mock.calls]).toEqual([[given], []]);
  });

  it('of a function is made by it, each time', () => {
    const makeWorker = vi.fn(() => new SilentWorker() as unknown as Worker);
    make({ makeWorker });
    vi.advanceTimersByTime(10_000);
    expect(makeWorker).toHaveBeenCalledTimes(2);
  });

  it('that cannot be made is a failure, after the constructor has returned', async () => {
    const { onFailure } = make({
      makeWorker: () => {
        throw new Error('blocked');
      },
    });
    expect(onFailure).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(0);
    expect(onFailure).toHaveBeenCalledWith('no worker could be made: blocked');
  });

  it.each([
    [
      'kernel',
      undefined,
      /could not be loaded \(HTTP 404\): check that the file exists and is served as text\/javascript/,
    ],
    ['session', undefined, /could not be loaded \(HTTP 404\): worker\.js has to lie where the runtime looks for it/],
    ['kernel', 'SyntaxError', /^the worker https:\/\/a\.example\/worker\.js failed: SyntaxError$/],
  ] as const)('of a %s says why it failed: %s', async (mode, message, expected) => {
    const { onFailure } = make({ mode });
    const preventDefault = vi.fn();
    SilentWorker.made[0].onerror!({ message, preventDefault });
    await vi.advanceTimersByTimeAsync(0);
    expect(onFailure.mock.calls[0][0]).toMatch(expected);
    expect(preventDefault).toHaveBeenCalled();
  });

  it('that was given says why it failed', async () => {
    const given = new SilentWorker();
    const { onFailure } = make({ worker: given as unknown as Worker });
    given.onerror!({ message: '' });
    await vi.advanceTimersByTimeAsync(0);
    expect(onFailure).toHaveBeenCalledWith('the worker that was given failed: its script could not be loaded');
  });

  it('whose message cannot be read has failed', () => {
    const { onFailure } = make();
    SilentWorker.made[0].onmessageerror!();
    expect(onFailure).toHaveBeenCalledWith('a message of the worker could not be read');
  });

  it('that was ended is terminated, and heard no more', () => {
    const { process } = make();
    process.end();
    const [worker] = SilentWorker.made;
    expect([worker.isTerminated, worker.onmessage, worker.onerror]).toEqual([true, null, null]);
    vi.advanceTimersByTime(1_000_000);
    expect(SilentWorker.made).toHaveLength(1);
  });
});
