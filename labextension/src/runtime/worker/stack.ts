/**
 * Whether the running Python can be suspended by switching stacks.
 */

const WASM_FRAME = /wasm-function\[/;

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

/** Whether no frame of JavaScript stands between the caller, called by WebAssembly, and where that was entered. */
export function canSuspend(): boolean {
  const traces = Error as { stackTraceLimit?: number }; // V8's
  const { stackTraceLimit } = traces;
  traces.stackTraceLimit = Infinity;
  try {
    return !hasScriptBetween(new Error().stack ?? '');
  } finally {
    traces.stackTraceLimit = stackTraceLimit;
  }
}
