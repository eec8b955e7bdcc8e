import { describe, expect, it } from 'vitest';

import { CallLimit, StackLimit } from '../../src/runtime/worker/recursion_limits';
import { BASE, END, FakePython, REMAINING } from './fake_python';

const KB = 1024;
const ENOUGH = Infinity;

describe('a limit on the C stack', () => {
  const limited = (): { python: FakePython; limit: StackLimit } => {
    const python = new FakePython(true);
    return { python, limit: StackLimit.for(python.module)! };
  };

  it('is as far below the pointer as suits the use', () => {
    const { python, limit } = limited();
    limit.allow(BASE - 100 * KB, 'any', ENOUGH);
    expect(limit.current()).toBe(BASE - 180 * KB);
    // CPython raises RecursionError 16 KB above the start it is given.
    expect(python.protections).toEqual([BASE - 196 * KB]);
    limit.allow(BASE - 100 * KB, 'compiler', ENOUGH);
    expect(limit.current()).toBe(BASE - 100 * KB - 3 * KB * KB);
  });

  it("is nearer where the engine's stack has less room", () => {
    const { limit } = limited();
    limit.allow(BASE, 'any', 320 * KB);
    expect(limit.current()).toBe(BASE - 40 * KB);
  });

  it('leaves the end of the C stack alone', () => {
    const { python, limit } = limited();
    limit.allow(END + 10 * KB, 'any', ENOUGH);
    expect(limit.current()).toBe(END + 32 * KB);
    expect(python.protections.at(-1)).toBeGreaterThan(END);
  });

  it('never becomes wider by being narrowed', () => {
    const { limit } = limited();
    limit.allow(BASE, 'any', ENOUGH);
    limit.narrow(BASE - 20 * KB);
    expect(limit.current()).toBe(BASE - 44 * KB);
    limit.narrow(BASE - 40 * KB);
    expect(limit.current()).toBe(BASE - 44 * KB);
  });

  it('is exceeded, but not fatally, once it is exhausted', () => {
    const { limit } = limited();
    limit.exhaust(BASE - 50 * KB);
    expect(limit.current()).toBeGreaterThan(BASE - 50 * KB);
    expect(limit.current()).toBeLessThan(BASE - 42 * KB); // CPython gives up 8 KB below it
  });

  it('is not had by a CPython that counts', () => {
    expect(StackLimit.for(new FakePython(false).module)).toBeNull();
  });
});

describe('a limit on calls', () => {
  const limited = (): { python: FakePython; limit: CallLimit } => {
    const python = new FakePython(false);
    return { python, limit: CallLimit.for(python.module)! };
  };

  it('is found by what entering and leaving a call changes, and nothing is left changed', () => {
    const { python, limit } = limited();
    expect(limit.current()).toBe(10_000);
    expect(python._Py_GetRecursionLimit()).toBe(1000);
    limit.restore(77);
    expect(python.remaining).toBe(77);
  });

  it("is not taken where Python's own calls count too, as in CPython 3.11", () => {
    const python = new FakePython(false);
    python._Py_SetRecursionLimit = limit => {
      python.thread[REMAINING] += limit - 1000;
    };
    expect(CallLimit.for(python.module)).toBeNull();
  });

  it('is not taken where nothing is counted, or more than one word changes', () => {
    const still = new FakePython(false);
    still._Py_EnterRecursiveCall = () => 0;
    still._Py_LeaveRecursiveCall = () => undefined;
    expect(CallLimit.for(still.module)).toBeNull();
    const both = new FakePython(false);
    both._Py_EnterRecursiveCall = () => both.thread[1]-- && both.thread[REMAINING]--;
    expect(CallLimit.for(both.module)).toBeNull();
    const lacking = new FakePython(false) as Partial<FakePython>;
    lacking._Py_SetRecursionLimit = undefined;
    expect(CallLimit.for(lacking as never)).toBeNull();
  });

  it('goes with the use, and what room there is on both stacks', () => {
    const { python, limit } = limited();
    limit.allow(BASE, 'any', ENOUGH);
    expect(python.remaining).toBe(640);
    limit.allow(BASE, 'json', ENOUGH);
    expect(python.remaining).toBe(2800);
    limit.allow(BASE, 'any', 100 * KB);
    expect(python.remaining).toBe(100);
    limit.allow(END + 512 * KB + 5 * KB, 'any', ENOUGH);
    expect(python.remaining).toBe(10);
    limit.allow(END, 'any', ENOUGH);
    expect(python.remaining).toBe(0);
  });

  it('never becomes wider by being narrowed', () => {
    const { python, limit } = limited();
    limit.narrow();
    expect(python.remaining).toBe(160);
    limit.restore(3);
    limit.narrow();
    expect(python.remaining).toBe(3);
  });
});
