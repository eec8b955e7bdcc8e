import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { InterruptMode } from '../../src/runtime/protocol';
import { MessageLooks } from '../../src/runtime/worker/message_looks';

/** Runs code for `ms`, with a look that takes `costMs` whenever one is due. @returns the times of the looks. */
function lookFor(ms: number, costMs: number, mode: InterruptMode): number[] {
  const times: number[] = [];
  const take = (): void => {
    times.push(performance.now());
    vi.advanceTimersByTime(costMs);
  };
  const block = {
    want: (): void => {
      take();
      looks.arrived();
    },
  };
  const askPage = (): null => {
    take();
    return null;
  };
  const looks: MessageLooks = new MessageLooks(block as never, { mode, askPage });
  looks.arrived();
  while (performance.now() < ms) {
    vi.advanceTimersByTime(1);
    looks.lookIfDue(performance.now(), 1, true);
  }
  return times;
}

const gaps = (times: number[], costMs: number): number[] =>
  times.slice(1).map((time, index) => time - times[index] - costMs);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'], now: 0 });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('looks for messages while code runs', () => {
  it.each<InterruptMode>(['stack-switching', 'service-worker'])('come every 100 ms if they cost little (%s)', mode => {
    expect(new Set(gaps(lookFor(2000, 1, mode), 1))).toEqual(new Set([100]));
  });

  it('cost 2 % if they take longer', () => {
    expect(new Set(gaps(lookFor(2000, 3, 'service-worker'), 3))).toEqual(new Set([150]));
  });

  it('come every 200 ms whatever they cost', () => {
    expect(new Set(gaps(lookFor(3000, 90, 'stack-switching'), 90))).toEqual(new Set([200]));
  });

  it.each<InterruptMode>(['shared-memory', 'none'])('are not needed or not possible with %s', mode => {
    expect(lookFor(1000, 1, mode)).toEqual([]);
  });
});
