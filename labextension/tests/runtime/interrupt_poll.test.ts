import { describe, expect, it } from 'vitest';

import { Control } from '../../src/runtime/protocol';
import { InterruptController } from '../../src/runtime/worker/control';

const CLOCK = 3;
const CLOCK_START = 50;

function controller() {
  const heap = new Int32Array(8);
  const module: Record<string, { 0: number } | null> = {};
  const control = new SharedArrayBuffer(4 * Control.Length);
  let flushed = 0;
  const made = new InterruptController({
    control,
    mode: 'shared-memory',
    askPage: () => null,
    flushOutput: () => undefined,
    onStop: () => undefined,
    flushDueOutput: () => flushed++,
    onError: () => undefined,
  });
  made.useClock(CLOCK << 2, () => heap);
  made.attach({
    _module: module,
    setInterruptBuffer: buffer => (module.Py_EmscriptenSignalBuffer = buffer as { 0: number }),
  });
  /** As Pyodide's helper does; null where it did not even look. */
  const poll = (): number | null => {
    if (!module.Py_EmscriptenSignalBuffer) {
      return null;
    }
    const signal = module.Py_EmscriptenSignalBuffer[0];
    module.Py_EmscriptenSignalBuffer[0] = 0;
    return signal;
  };
  return { made, heap, module, poll, words: new Int32Array(control), flushed: () => flushed };
}

describe('polls by C code', () => {
  it('end at once while nothing is wanted, but for some, and look when the clock has run down', () => {
    const { heap, poll, flushed } = controller();
    heap[CLOCK] = 17;
    const answers = Array.from({ length: 64 }, poll);
    expect(answers.filter(answer => answer === 0)).toHaveLength(2);
    expect(answers.filter(answer => answer === null)).toHaveLength(62);
    expect(flushed()).toBe(2);
    heap[CLOCK] = CLOCK_START;
    expect(poll()).toBe(0);
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
