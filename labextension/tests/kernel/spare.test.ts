/** Whether a spare Python is kept, and what it imports ahead. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { mayImportAhead, mayPrewarm, Spares, type PrewarmChoice } from '../../src/kernel/spare';
import type { KernelClient } from '../../src/runtime/kernel_client';

afterEach(() => vi.unstubAllGlobals());

const SAFARI =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15';

it.each<[PrewarmChoice, boolean | undefined, number | undefined, string, boolean, number?]>([
  ['auto', undefined, 8, '', true],
  ['auto', undefined, 2, '', false],
  ['auto', undefined, undefined, 'Firefox', true],
  ['auto', undefined, undefined, 'Mobile Safari', false],
  ['auto', undefined, undefined, SAFARI, true, 0],
  ['auto', undefined, undefined, SAFARI, false, 5],
  ['auto', true, undefined, SAFARI, true, 5],
  ['auto', undefined, undefined, 'Firefox on Windows', true, 10],
  ['auto', undefined, undefined, 'Firefox on Android, a tablet', false, 5],
  ['auto', true, 2, '', true],
  ['auto', false, 8, '', false],
  ['always', false, 2, '', true],
  ['never', true, 8, '', false],
])('user %s, site %s, %s GB, %s: %s', (user, site, deviceMemory, userAgent, expected, maxTouchPoints = 0) => {
  vi.stubGlobal('navigator', { deviceMemory, userAgent, maxTouchPoints });
  expect(mayPrewarm(site, user)).toBe(expected);
});

it.each<[boolean | undefined, boolean, number | undefined, number, boolean]>([
  [undefined, true, 8, 4, false],
  [true, true, 8, 4, true],
  [true, true, undefined, 2, true],
  [true, true, 2, 4, false],
  [true, true, 8, 1, false],
  [true, false, 8, 4, false],
  [false, true, 8, 4, false],
])(
  'site %s, spare %s, %s GB, %s processors: imports ahead %s',
  (site, keepsSpare, deviceMemory, processors, expected) => {
    vi.stubGlobal('navigator', { deviceMemory, hardwareConcurrency: processors, userAgent: '', maxTouchPoints: 0 });
    expect(mayImportAhead(site, keepsSpare)).toBe(expected);
  },
);

/** A worker that has started, and imports until the test ends that. */
class FakeWorker {
  readonly ready = Promise.resolve();
  readonly adopt = vi.fn(async () => undefined);
  readonly dispose = vi.fn(() => this.fail(new Error('the kernel has been shut down')));
  finish!: (hasImported: boolean) => void;
  fail: (error: Error) => void = () => undefined;
  readonly importAhead = vi.fn(
    () =>
      new Promise<boolean>((resolve, reject) => {
        this.finish = resolve;
        this.fail = reject;
      }),
  );

  get typed(): KernelClient {
    return this as unknown as KernelClient;
  }
}

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve));

function parts() {
  const workers: FakeWorker[] = [];
  const made = new Spares(async () => {
    workers.push(new FakeWorker());
    return workers.at(-1)!.typed;
  });
  return { spares: made, workers };
}

describe('a spare that imports ahead', () => {
  beforeEach(() => void vi.spyOn(console, 'warn').mockImplementation(() => undefined));
  afterEach(() => void vi.restoreAllMocks());

  async function importing() {
    const made = parts();
    const done = made.spares.importAhead(['numpy'], () => true);
    await settled();
    return { ...made, done, worker: made.workers[0] };
  }

  it('takes the place of a worker in which no cell has run, which is then the spare', async () => {
    const { spares, worker, done } = await importing();
    const old = new FakeWorker();
    expect(await spares.exchange({}, old.typed)).toBeNull();
    worker.finish(true);
    await done;
    expect(await spares.exchange({ sessionId: 'k' }, old.typed)).toBe(worker);
    expect(worker.adopt).toHaveBeenCalledWith({ sessionId: 'k' });
    expect(await spares.exchange({}, worker.typed)).toBeNull();
    expect(await spares.take({})).toBe(old);
  });

  it('imports once, and only if no cell has run', async () => {
    const { spares, worker, workers, done } = await importing();
    await spares.importAhead(['pandas'], () => true);
    worker.finish(true);
    await done;
    await spares.importAhead(['pandas'], () => true);
    expect([workers.length, worker.importAhead.mock.calls.length]).toEqual([1, 1]);
    expect(await spares.take({})).toBe(worker);
    const wanted = vi.fn().mockReturnValueOnce(true).mockReturnValue(false); // a cell runs while the spare starts
    await spares.importAhead(['numpy'], wanted);
    expect(workers[1].importAhead).not.toHaveBeenCalled();
  });

  it('ends when a cell runs, and another one may start', async () => {
    const { spares, worker, workers, done } = await importing();
    expect([spares.giveWay(), spares.giveWay()]).toEqual([true, false]);
    await done;
    expect(worker.dispose).toHaveBeenCalled();
    await spares.prepare();
    expect(await spares.take({})).toBe(workers[1]);
  });

  it('is not taken in the middle', async () => {
    const { spares, worker, done } = await importing();
    expect(await spares.take({})).toBeNull();
    await done;
    expect(worker.dispose).toHaveBeenCalled();
  });

  it.each(['it changes random', 'the worker has ended'])(
    'is replaced if it cannot be used any more: %s',
    async text => {
      const { spares, worker, workers, done } = await importing();
      worker.fail(new Error(text));
      await done;
      expect(worker.dispose).toHaveBeenCalled();
      expect(spares.hasImported).toBe(false);
      expect(await spares.take({})).toBe(workers[1]);
    },
  );

  it('that had nothing to import stays a spare like any other', async () => {
    const { spares, worker, workers, done } = await importing();
    worker.finish(false);
    await done;
    expect(spares.hasImported).toBe(false);
    expect(await spares.exchange({}, new FakeWorker().typed)).toBeNull();
    expect(await spares.take({})).toBe(worker);
    expect(workers.length).toBe(1);
  });

  it('is not started for a cell that has run already', async () => {
    const { spares, workers } = parts();
    await spares.importAhead(['numpy'], () => false);
    expect(workers).toEqual([]);
  });

  it('that has died leaves the kernel its own worker', async () => {
    const { spares, worker, done } = await importing();
    worker.finish(true);
    await done;
    worker.adopt.mockRejectedValue(new Error('ended'));
    expect(await spares.exchange({}, new FakeWorker().typed)).toBeNull();
    expect(await spares.take({})).toBeNull();
  });
});
