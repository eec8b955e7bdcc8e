/**
 * Limits Python's memory, so that a cell that takes too much gets MemoryError before the browser ends the whole page.
 */
import { wrapImport, type Env } from './wasm_imports';

/** Emscripten lets memory grow by up to a fifth more than was asked for, but by no more than this. */
const MOST_MORE = 96 * 2 ** 20;

/** Refuses to let the memory of Pyodide's module grow beyond so many MB: then `malloc` fails. */
export function limitMemory(env: Env, megabytes: number): void {
  wrapImport(env, 'emscripten_resize_heap', original => bytes => {
    const wanted = (bytes as number) >>> 0;
    return Math.min(wanted * 1.2, wanted + MOST_MORE) <= megabytes * 2 ** 20 && original(bytes);
  });
}
