/**
 * Finds out whether the running Python can be suspended by switching stacks.
 */

const WASM_FRAME = /wasm-function\[(\d+)\]/;

/**
 * Whether a stack has a frame of JavaScript between two of WebAssembly. No engine suspends such a stack. Pyodide 0.27
 * initializes compiled modules in this way, and claims that it can be suspended there, but an attempt ends Python.
 *
 * @param stack The `stack` of an Error: innermost frame first.
 */
export function hasScriptBetween(stack: string): boolean {
  const frames = stack.split('\n').map(line => WASM_FRAME.test(line));
  const inner = frames.indexOf(true);
  const outer = frames.lastIndexOf(true);
  return frames.slice(inner, outer).includes(false);
}

/**
 * The function through which JavaScript entered WebAssembly: its index in its module; null if JavaScript did not.
 */
export function entryOf(stack: string): string | null {
  const frames = stack.split('\n').map(line => WASM_FRAME.exec(line)?.[1]);
  return frames.filter(index => index !== undefined).at(-1) ?? null;
}

/** Functions of Pyodide's module that are looked for on the stack. The name of a WebAssembly function is its index. */
export interface PlainEntries {
  _create_promise_handles_result_helper?: { name: string };
  _Py_DecRef?: { name: string };
}

/**
 * Whether Python can be suspended here, as Pyodide claims. WebAssembly calls this.
 *
 * Pyodide remembers only how Python was called last, and does not note two plain calls: the one that tells Python that a
 * promise has settled, and the one that releases an object. While another call is suspended, it takes these for that one.
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
