import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { assemble } from '../../scripts/wat.mjs';
import { Control } from '../../src/runtime/protocol';
import { CLOCK_START, FIRST_CHECKS, MAX_CHECKS, SignalGate } from '../../src/runtime/worker/signal_gate';
import { changeImports } from '../../src/runtime/worker/wasm_imports';
import { attached, interruptController } from './fake_pyodide';

const NATIVE = 'src/runtime/worker/native';
const CLOCK = 12;

/** A module that asks as CPython does, and the JavaScript function that answers if there is no gate. */
async function python(gate: SignalGate, helper: () => number) {
  const keepImports = changeImports(env => gate.place(env));
  const bytes = new Uint8Array([
    ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 2, 41, 1, 3],
    ...new TextEncoder().encode('env'),
    33,
    ...new TextEncoder().encode('_Py_CheckEmscriptenSignals_Helper'),
    ...[0, 0, 7, 7, 1, 3, ...new TextEncoder().encode('ask'), 0, 0],
  ]);
  const imports = { env: { _Py_CheckEmscriptenSignals_Helper: helper } };
  const { instance } = await WebAssembly.instantiate(bytes, imports);
  keepImports();
  return instance.exports.ask as () => number;
}

describe.each([true, false])('a gate with memory that is shared: %s', shared => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  async function opened() {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared });
    const words = new Int32Array(memory.buffer);
    const gate = new SignalGate(memory);
    const helper = vi.fn(() => 2);
    const ask = await python(gate, helper);
    const heap = new WebAssembly.Memory({ initial: 1 });
    return { gate, ask, helper, words, heap, clock: new Int32Array(heap.buffer, CLOCK, 1) };
  }

  it('is an open door until it knows the memory of Python', async () => {
    const { ask, helper } = await opened();
    expect([ask(), ask()]).toEqual([2, 2]);
    expect(helper).toHaveBeenCalledTimes(2);
  });

  /** The number of the first question that reaches JavaScript. */
  const firstPassed = (ask: () => number): number => {
    let number = 1;
    while (ask() === 0) {
      number++;
    }
    return number;
  };

  it('lets questions pass as long as nothing is wanted, those of the loop and of C code counted apart', async () => {
    const { gate, ask, helper, heap, clock } = await opened();
    expect(gate.open(heap, CLOCK)).toBe(true);
    gate.set(3 * CLOCK_START);
    clock[0] = 7;
    ask(); // C code's first question
    helper.mockClear();
    clock[0] = CLOCK_START;
    expect([ask(), ask(), ask()]).toEqual([0, 0, 2]);
    clock[0] = 7;
    expect(firstPassed(ask)).toBe(32);
    expect(helper).toHaveBeenCalledTimes(2);
  });

  /** What JavaScript does when it is called: says how often timed work was due. */
  const working = (gate: SignalGate, helper: { mockImplementation(f: () => number): unknown }, clock: Int32Array) => {
    const work = vi.fn();
    helper.mockImplementation(() => {
      if (gate.look(clock[0] === CLOCK_START)) {
        work();
      }
      return 0;
    });
    return work;
  };

  it('calls JavaScript for timed work every few milliseconds, for the loop and for C code', async () => {
    const { gate, ask, helper, heap, clock } = await opened();
    gate.open(heap, CLOCK);
    const work = working(gate, helper, clock);
    for (const [kind, questions] of [
      [CLOCK_START, 8],
      [7, 8 * 32],
    ]) {
      gate.interval = MAX_CHECKS; // 8 questions of the door's are one of the gate's
      clock[0] = CLOCK_START;
      gate.look(true);
      const ours = (count: number): void => {
        for (let i = 0; i < count; i++) {
          clock[0] = kind;
          ask();
        }
      };
      helper.mockClear();
      work.mockClear();
      ours(3000);
      vi.advanceTimersByTime(3);
      ours(questions);
      expect(helper).not.toHaveBeenCalled();
      vi.advanceTimersByTime(1);
      ours(questions);
      expect(helper).toHaveBeenCalledOnce();
      expect(work).toHaveBeenCalledOnce();
      vi.setSystemTime(Date.now() - 60_000); // somebody sets the computer's clock
      ours(questions);
      expect(work).toHaveBeenCalledTimes(2);
    }
  });

  /** Makes as many checks as CPython's clock wants, and asks. Returns how many they were. */
  const run = (ask: () => number, clock: Int32Array): number => {
    const checks = clock[0];
    clock[0] = CLOCK_START; // as CPython sets it before it asks
    ask();
    return checks;
  };

  it('looks at the time soon while a cell is young', async () => {
    const { gate, ask, helper, heap, clock } = await opened();
    gate.open(heap, CLOCK);
    working(gate, helper, clock);
    gate.look(true);
    gate.start();
    gate.interval = 1;
    gate.set(1);
    helper.mockClear();
    expect(run(ask, clock)).toBe(1);
    expect(helper).toHaveBeenCalledTimes(1); // eager
    const intervals = [gate.interval];
    for (let checks = 0; checks < 10_000; ) {
      checks += run(ask, clock);
      if (intervals.at(-1) !== gate.interval) {
        intervals.push(gate.interval);
        expect(gate.interval).toBeLessThanOrEqual(FIRST_CHECKS + checks / 10);
      }
    }
    expect(intervals.slice(0, 3)).toEqual([2, 4, 8]);
    expect(gate.interval).toBe(MAX_CHECKS);
    expect(helper).toHaveBeenCalledTimes(1);
  });

  it('looks at each check of slow code, and calls JavaScript every few milliseconds', async () => {
    const { gate, ask, helper, heap, clock } = await opened();
    gate.open(heap, CLOCK);
    working(gate, helper, clock);
    gate.look(true);
    gate.interval = MAX_CHECKS;
    gate.look(true); // sets the clock
    for (let i = 0; i < 20; i++) {
      vi.advanceTimersByTime(40);
      run(ask, clock);
    }
    expect(gate.interval).toBe(1);
    helper.mockClear();
    for (let i = 0; i < 40; i++) {
      vi.advanceTimersByTime(1);
      expect(run(ask, clock)).toBeLessThanOrEqual(2);
    }
    expect(helper).toHaveBeenCalledTimes(10);
  });

  it.each([Control.Interrupt, Control.Wanted])('asks JavaScript at once when word %i is set', async word => {
    const { gate, ask, words, heap, clock } = await opened();
    gate.open(heap, CLOCK);
    gate.look(true); // no timed work is due
    gate.interval = 1000 * CLOCK_START;
    gate.look(true); // sets the clock
    for (clock[0] of [CLOCK_START, 7]) {
      expect(ask()).toBe(0);
      words[word] = -1;
      expect(ask()).toBe(2);
      words[word] = 0;
    }
  });
});

it('is none where Pyodide asks in another way', async () => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  expect(new SignalGate(memory).open(new WebAssembly.Memory({ initial: 1 }), CLOCK)).toBe(false);
});

it.each(['gate.wat', 'gate_door.wat', 'gate_door.wat?unshared'])(
  '%s exports what takes the place of the import',
  async name => {
    const bytes = (await assemble(`${NATIVE}/${name}`)) as BufferSource;
    const names = WebAssembly.Module.exports(new WebAssembly.Module(bytes)).map(entry => `${entry.kind} ${entry.name}`);
    expect(names).toContain('function check');
  },
);

describe('an interrupt controller with a gate', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('offers an interrupt at the next check, and is asked by no other until something is due', async () => {
    const control = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
    const made = interruptController({ control });
    const { poll } = attached(made);
    const helper = vi.fn(() => poll() ?? 0);
    const ask = await python(made.gate, helper);
    const memory = new WebAssembly.Memory({ initial: 1 });
    const heap = new Int32Array(memory.buffer);
    made.clock.use(CLOCK, memory, () => heap);
    made.begin(1, false);
    const loop = (): number => {
      heap[CLOCK >> 2] = CLOCK_START;
      return ask();
    };
    made.clock.userStarts();
    vi.advanceTimersByTime(1000);
    for (let i = 0; i < 100; i++) {
      loop();
    }
    const before = helper.mock.calls.length;
    for (let i = 0; i < 80; i++) {
      expect(loop()).toBe(0);
    }
    expect(helper.mock.calls.length - before).toBe(0);
    vi.advanceTimersByTime(4);
    for (let i = 0; i < 80; i++) {
      expect(loop()).toBe(0);
    }
    expect(helper.mock.calls.length - before).toBe(1); // for timed work
    new Int32Array(control.buffer)[Control.Interrupt] = 1;
    expect(loop()).toBe(2);
    expect(new Int32Array(control.buffer)[Control.Interrupt]).toBe(0);
  });
});
