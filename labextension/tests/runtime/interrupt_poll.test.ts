import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { Control } from '../../src/runtime/protocol';
import { CLOCK_START } from '../../src/runtime/worker/signal_gate';
import { attached, interruptController } from './fake_pyodide';

const CLOCK = 3;

function controller() {
  const heap = new Int32Array(8);
  const control = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  let flushed = 0;
  const made = interruptController({ control, flushDueOutput: () => flushed++ });
  made.clock.use(CLOCK << 2, undefined, () => heap);
  const { module, poll } = attached(made);
  return { made, heap, module, poll, words: new Int32Array(control.buffer), flushed: () => flushed };
}

describe('polls by C code', () => {
  it('end at once while nothing is wanted; some of them, and the clock, send what is due', () => {
    const { heap, poll, flushed } = controller();
    heap[CLOCK] = 17;
    const answers = Array.from({ length: 64 }, poll);
    expect(answers.filter(answer => answer === null)).toHaveLength(64);
    expect(flushed()).toBe(2);
    heap[CLOCK] = CLOCK_START;
    expect(poll()).toBe(null);
    expect(flushed()).toBe(3);
    expect(heap[CLOCK]).not.toBe(CLOCK_START);
  });

  it('see an interrupt at once', () => {
    const { made, heap, poll, words } = controller();
    made.begin(1, false);
    heap[CLOCK] = 17;
    poll();
    words[Control.Interrupt] = 1;
    expect(poll()).toBe(2);
    expect(words[Control.Interrupt]).toBe(0);
  });

  it("take another's buffer instead of ours", () => {
    const { module, poll } = controller();
    module.Py_EmscriptenSignalBuffer = { 0: 7 };
    expect(poll()).toBe(7);
    expect(module.Py_EmscriptenSignalBuffer).toEqual({ 0: 0 });
  });
});

describe('the clock', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  /** Lets `checks` pass as CPython counts them, each of which takes `ms`. Returns how many passed before each look. */
  function run({ heap, poll }: ReturnType<typeof controller>, checks: number, ms: number): number[] {
    const looks = [];
    const begin = Date.now();
    for (let i = 1, since = 0; i <= checks; i++) {
      vi.setSystemTime(begin + Math.floor(i * ms));
      since++;
      if (heap[CLOCK]-- === 0) {
        heap[CLOCK] = CLOCK_START;
        poll();
        looks.push(since);
        since = 0;
      }
    }
    return looks;
  }

  it('lets quick code pass hundreds of checks between two looks, soon after slow code too', () => {
    const made = controller();
    made.made.clock.userStarts();
    expect(run(made, 100_000, 0.001).at(-1)).toBeGreaterThan(300);
    run(made, 1000, 40);
    expect(run(made, 3000, 0.0001).at(-1)).toBeGreaterThan(300);
  });

  it('looks at each check of slow code, from the first look after quick code on', () => {
    const made = controller();
    made.made.clock.userStarts();
    run(made, 100_000, 0.001);
    expect(Math.max(...run(made, 1000, 40).slice(1))).toBeLessThanOrEqual(2);
    expect(Math.max(...run(made, 1000, 5).slice(1))).toBeLessThanOrEqual(2);
  });

  it('looks about once a millisecond in between', () => {
    const made = controller();
    made.made.clock.userStarts();
    const looks = run(made, 20_000, 0.05).slice(20);
    expect(Math.max(...looks)).toBeLessThanOrEqual(42);
    expect(Math.min(...looks)).toBeGreaterThanOrEqual(2);
  });

  it('passes few checks at the beginning of a cell, when nobody knows how long the next ones take, and then a few in a hundred of those before', () => {
    const made = controller();
    run(made, 100_000, 0.0001);
    made.made.clock.userStarts();
    let before = 0;
    for (const checks of run(made, 5000, 0.0001)) {
      expect(checks).toBeLessThanOrEqual(9 + before / 14);
      before += checks;
    }
    expect(before).toBeGreaterThan(4000);
  });
});
