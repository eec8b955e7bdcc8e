/**
 * Whether the running Python can be suspended by switching stacks.
 */

const WASM_FRAME = /wasm-function\[(\d+)\]/;

/**
 * Whether `stack`, as engines write it, innermost frame first, has a frame of JavaScript between two of WebAssembly: no
 * engine suspends those. Pyodide 0.27 initializes compiled modules through one, and says that it can be suspended there;
 * to try ends Python.
 */
export function hasScriptBetween(stack: string): boolean {
  const frames = stack.split('\n').map(line => WASM_FRAME.test(line));
  const inner = frames.indexOf(true);
  const outer = frames.lastIndexOf(true);
  return frames.slice(inner, outer).includes(false);
}

/**
 * Index of the function through which JavaScript entered WebAssembly, in the module that has it; null where it did
 * not.
 */
export function entryOf(stack: string): string | null {
  const frames = stack.split('\n').map(line => WASM_FRAME.exec(line)?.[1]);
  return frames.filter(index => index !== undefined).at(-1) ?? null;
}

/** What of Pyodide's module is used here: functions of WebAssembly, of which the name is their index. */
export interface PlainEntries {
  _create_promise_handles_result_helper?: { name: string };
  _Py_DecRef?: { name: string };
}

/**
 * Whether Pyodide's claim that Python can be suspended holds where this is called, by WebAssembly.
 *
 * Pyodide remembers how Python was called last. As long as another call is suspended, it takes what it calls without
 * a note of its own for that one: what tells Python that a promise is settled, and what releases an object.
 */
export function canSuspend(plain: PlainEntries): boolean {
  const traces = Error as { stackTraceLimit?: number }; // V8's and JavaScriptCore's; Firefox ends at 128 frames
  const { stackTraceLimit } = traces;
  traces.stackTraceLimit = Infinity;
  try {
    const stack = new Error().stack ?? '';
    const entry = entryOf(stack);
    const isPlain = [plain._create_promise_handles_result_helper, plain._Py_DecRef].some(f => f && f.name === entry);
    return !isPlain && !hasScriptBetween(stack);
  } finally {
    traces.stackTraceLimit = stackTraceLimit;
  }
}
