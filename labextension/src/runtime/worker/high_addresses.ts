/**
 * Mends functions of Pyodide's that take an address for a signed number. In a Python with more than 2 GB they read and write elsewhere: a text
 * of 64 ASCII characters then arrives in JavaScript as something else, and with it every message of the kernel.
 */
import { wrapImport, type Env } from './wasm_imports';

/** The functions, and which of their arguments is an address. */
const FUNCTIONS = { _python2js_ascii: 0, JsvBuffer_assignToPtr: 1, JsvBuffer_assignFromPtr: 1 };

export function takeHighAddresses(env: Env): void {
  for (const [name, index] of Object.entries(FUNCTIONS)) {
    wrapImport(
      env,
      name,
      original =>
        (...values) =>
          original(...values.map((value, i) => (i === index ? (value as number) >>> 0 : value))),
    );
  }
}
