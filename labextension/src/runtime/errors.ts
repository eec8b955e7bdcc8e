/**
 * Errors of the runtime. They carry a string `code`, since classes do not survive a worker boundary.
 */

/** The codes of errors. */
export type ErrorCode =
  | 'bad-option' // an argument is missing or of the wrong kind
  | 'boot-failed' // Python did not start
  | 'busy' // a second exec while one runs
  | 'disposed' // the session or kernel has been disposed
  | 'worker-crash' // the worker ended by itself
  | 'file' // a file could not be read or written
  | 'lab-runtime-mismatch'
  | 'no-browser' // nothing here can run Python: there is no Worker, or no page
  | 'internal';

/** The base of every error that this runtime throws. Without a code, the code is `internal`. */
export class BrowsergradError extends Error {
  readonly code: ErrorCode;

  constructor(message: string, options?: { cause?: unknown });
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown });
  constructor(first: string, second?: string | { cause?: unknown }, third?: { cause?: unknown }) {
    const hasCode = typeof second === 'string';
    super(hasCode ? second : first, hasCode ? third : second);
    this.code = hasCode ? (first as ErrorCode) : 'internal';
    this.name = 'BrowsergradError';
  }
}

/** The text of anything that was thrown. Emscripten throws plain objects. */
export function errorText(error: unknown): string {
  const { message, name } = (error ?? {}) as { message?: unknown; name?: unknown };
  return String(message || name || error);
}

/** Whether the engine's stack has overflowed, judged by the words of V8, SpiderMonkey and JavaScriptCore. */
export function isOutOfStack(error: unknown): boolean {
  return /call stack size exceeded|too much recursion/i.test(errorText(error));
}

/** Whether WebAssembly was ended since it touched memory that it does not have, judged by the words of V8, SpiderMonkey and JavaScriptCore. */
export function isOutOfBounds(error: unknown): boolean {
  return /memory access out of bounds|index out of bounds|out of bounds memory access/i.test(errorText(error));
}

/** Whether this was thrown because the browser has no more memory. Engines use different words. */
export function isOutOfMemory(error: unknown): boolean {
  return (
    (error instanceof RangeError && !isOutOfStack(error)) ||
    /out of memory|memory allocation|WebAssembly\.Memory\(\)/i.test(errorText(error))
  );
}

/** Says why Python has ended. */
export function fatalText(error: Error): string {
  const text = `${error.name}: ${error.message}`.slice(0, 2000);
  if (isOutOfStack(error)) {
    return `your code called itself too deeply: the browser's own stack ended before Python could raise RecursionError (${text})`;
  }
  if (isOutOfMemory(error)) {
    return `the browser has no more memory for Python: use less data at a time, or close other tabs (${text})`;
  }
  return isOutOfBounds(error)
    ? `compiled code, such as a package's or that which ctypes calls, used memory that is not Python's (${text})`
    : text;
}
