import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Datasets } from '../../src/labs/datasets';
import type { OnProgress } from '../../src/labs/files';
import type { CheckedLab } from '../../src/labs/gate';

const lab = {
  path: 'course/manifest.json',
  manifest: { datasets: [{ name: 'points', url: 'points.csv' }] },
} as unknown as CheckedLab;

describe('a dataset of which no byte comes', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function loading() {
    const read = vi.fn(
      (_path: string, _signal: AbortSignal, _progress: OnProgress) => new Promise<Uint8Array>(() => undefined),
    );
    const onEnd = vi.fn();
    const datasets = new Datasets({ read }, 'https://school.example/', { onEnd });
    const loaded = datasets.load(lab);
    return { datasets, loaded, onEnd, read };
  }

  it('counts as failed after 60 s, and the download is given up', async () => {
    const { loaded, onEnd, read } = loading();
    await vi.advanceTimersByTimeAsync(59_999);
    const [path, signal] = read.mock.calls[0];
    expect([path, signal.aborted, onEnd.mock.calls]).toEqual(['course/points.csv', false, []]);
    await vi.advanceTimersByTimeAsync(1);
    expect(signal.aborted).toBe(true);
    expect((await loaded).get('points')).toEqual({ error: 'points.csv: no data came for 60 s' });
    expect(onEnd.mock.calls).toEqual([['points', 'Dataset points: points.csv: no data came for 60 s']]);
  });

  it('has 60 s more with each byte', async () => {
    const { loaded, onEnd, read } = loading();
    for (let bytes = 1; bytes <= 3; bytes++) {
      await vi.advanceTimersByTimeAsync(59_000);
      read.mock.calls[0][2](bytes, 4);
    }
    await vi.advanceTimersByTimeAsync(59_999);
    expect(onEnd).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect((await loaded).get('points')).toHaveProperty('error');
  });

  it('is asked for again by the next kernel', async () => {
    const { datasets, read } = loading();
    const write = vi.fn((_path: string, _data: Uint8Array) => Promise.resolve());
    const handed = datasets.hand({ write } as unknown as Parameters<Datasets['hand']>[0], lab);
    await vi.advanceTimersByTimeAsync(60_000);
    await handed;
    expect(new TextDecoder().decode(write.mock.calls[0][1])).toContain('Restart the kernel to try again.');
    void datasets.load(lab);
    await vi.advanceTimersByTimeAsync(0);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('leaves no timer behind once it has come', async () => {
    const datasets = new Datasets({ read: () => Promise.resolve(new Uint8Array(3)) }, 'https://school.example/');
    const loaded = await datasets.load(lab);
    expect(loaded.get('points')).toHaveProperty('blob');
    expect(vi.getTimerCount()).toBe(0);
  });
});
