import { describe, expect, it } from 'vitest';

import { TypeOffset } from '../../src/runtime/worker/cpython_layout';
import { StackGuard } from '../../src/runtime/worker/stack_guard';
import { BASE, FakePython, REMAINING } from './fake_python';

const KB = 1024;

describe.each([
  ['CPython 3.14, which measures its stack', true],
  ['CPython 3.12, which counts calls', false],
])('the guard of %s', (_name, measures) => {
  /** The limit of C code while the Python function runs, and the function's arguments. */
  const guarded = (act: (python: FakePython) => void = () => undefined) => {
    const python = new FakePython(measures);
    const guard = StackGuard.for(python.module)!;
    const seen: { limit: number; values: number[] }[] = [];
    const limit = (): number => (measures ? python.protections.at(-1)! : python.remaining);
    const objects = python.objects((...values) => {
      seen.push({ limit: limit(), values });
      act(python);
      return 42;
    });
    expect(guard.guard(objects)).toBe(true);
    return { python, guard, objects, seen, limit };
  };

  it('leaves calls alone that are not deep', () => {
    const { python, objects, seen, limit } = guarded();
    const before = limit();
    expect(python.call(objects, 1 * KB)).toBe(42);
    expect(seen).toEqual([{ limit: before, values: [1, 2, 3, 4] }]);
  });

  it('sets the limit anew for a deep call, and back when it returns', () => {
    const { python, objects, seen, limit } = guarded();
    const before = limit();
    expect(python.call(objects, 40 * KB)).toBe(42);
    expect(seen[0].values).toEqual([1, 2, 3, 4]);
    if (measures) {
      expect(seen[0].limit).toBeLessThan(before);
    } else {
      expect(seen[0].limit).toBeLessThanOrEqual(640);
    }
    expect(limit()).toBe(before);
  });

  it('sets it back when the call throws', () => {
    const { python, objects, limit } = guarded(() => {
      throw new RangeError('Maximum call stack size exceeded');
    });
    const before = limit();
    expect(() => python.call(objects, 40 * KB)).toThrow(RangeError);
    expect(limit()).toBe(before);
    expect(python.validSuspender.value).toBe(false);
  });

  it('counts from where a call that can be suspended begins, and goes on', async () => {
    const { python, objects, seen, limit } = guarded();
    python.___stack_pointer.value = BASE - 100 * KB;
    await python.promisingApply();
    const before = limit();
    python.call(objects, 110 * KB); // 10 KB deeper than it began
    expect(seen[0].limit).toBe(before);
    python.call(objects, 150 * KB);
    if (measures) {
      expect(seen[1].limit).toBeLessThan(before);
      expect(python.limits).toEqual([BASE - 180 * KB - 32 * KB]);
    }
    // A call that began at the base continues, so 100 KB are deep again.
    python.stackStop = BASE;
    new python.StackState().restore();
    seen.length = 0;
    python.validSuspender.value = true;
    python.call(objects, 50 * KB); // Python can still be suspended here.
    python.call(objects, 100 * KB);
    expect(python.validSuspender.value).toBe(true);
    expect(seen).toHaveLength(2);
  });

  it.skipIf(measures)('sets the number of calls in the first function, where Pyodide has set it itself', async () => {
    const { python, objects, seen } = guarded();
    await python.promisingApply();
    python.thread[REMAINING] = 10_000;
    python.call(objects, 1 * KB);
    expect(seen[0].limit).toBe(640);
    python.thread[REMAINING] = 500;
    python.call(objects, 2 * KB);
    expect(seen[1].limit).toBe(500);
  });

  it('tells the suspender apart: a call on a further stack cannot be suspended', () => {
    const states: boolean[] = [];
    const { python, objects } = guarded(({ validSuspender }) => states.push(validSuspender.value));
    python.validSuspender.value = true;
    python.call(objects, 40 * KB);
    python.call(objects, 100 * KB);
    expect(states).toEqual([true, false]);
    expect(python.validSuspender.value).toBe(true);
  });

  it('is left out where the structures are others', () => {
    const python = new FakePython(measures);
    const guard = StackGuard.for(python.module)!;
    const objects = python.objects(() => 42);
    const places = Array.from({ length: python.wasmTable.length }, (_, i) => python.wasmTable.get(i) as unknown);
    python.HEAPU32[(objects.hash + TypeOffset.tp_name) >>> 2] += 1;
    expect(guard.guard(objects)).toBe(false);
    expect(places.map((_, i) => python.wasmTable.get(i) as unknown)).toEqual(places);
  });

  it('is left out where the module lacks something', () => {
    const { module } = new FakePython(measures);
    expect(StackGuard.for({ ...module, wasmTable: undefined } as never)).toBeNull();
    expect(StackGuard.for({})).toBeNull();
  });
});
