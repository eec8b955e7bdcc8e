/** The part of Pyodide that asks for signals, for tests of interrupts. */
import { InterruptController, type InterruptControllerOptions } from '../../src/runtime/worker/control';

interface SignalBuffer {
  0: number;
}

/** A controller whose options do nothing, except those that are given. */
export function interruptController(options: Partial<InterruptControllerOptions> = {}): InterruptController {
  return new InterruptController({
    control: null,
    mode: 'shared-memory',
    askPage: () => null,
    flushOutput: () => undefined,
    onStop: () => undefined,
    flushDueOutput: () => undefined,
    onError: text => {
      throw new Error(text);
    },
    ...options,
  });
}

/** Attaches a controller to a module and asks it as Pyodide's helper does. Null if the helper would not even look. */
export function attached(controller: InterruptController): {
  module: Record<string, SignalBuffer | null>;
  poll: () => number | null;
} {
  const module: Record<string, SignalBuffer | null> = {};
  controller.attach({
    _module: module,
    setInterruptBuffer: buffer => (module.Py_EmscriptenSignalBuffer = buffer as SignalBuffer),
  });
  const poll = (): number | null => {
    if (!module.Py_EmscriptenSignalBuffer) {
      return null;
    }
    const signal = module.Py_EmscriptenSignalBuffer[0];
    module.Py_EmscriptenSignalBuffer[0] = 0;
    return signal;
  };
  return { module, poll };
}
