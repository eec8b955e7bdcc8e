/**
 * Loads the rest of Pyodide's WebAssembly, of which a kernel first gets only what first cells run
 * (`jupyterlite_browsergrad/boot/divide_wasm.mjs`).
 *
 * When code calls a function of the rest for the first time, the rest is fetched and compiled while Python waits. Mostly the page has
 * fetched it before.
 */
import { FIRST_PART } from '../boot_assets';
import { ControlBlock } from './control_block';
import type { LazyAsset } from './lazy_assets';
import forwardBytes from './native/forward.wat';

/** Ms between further tries if the network fails. Without the rest, Python cannot go on, and its variables would be lost. */
const PAUSES_MS = [500, 1000, 2000, 4000, 8000];

/** Reads the file, and tries again if the network fails. */
function read(rest: LazyAsset): Uint8Array {
  for (const ms of PAUSES_MS) {
    try {
      return rest.get();
    } catch (error) {
      if ((error as Error).name !== 'NetworkError') {
        throw error;
      }
      new ControlBlock(null).wait(0, ms);
    }
  }
  return rest.get();
}

/** A WebAssembly function that calls `call`. */
function forwarded(call: () => void): unknown {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(forwardBytes), { javascript: { call } });
  return exports.call;
}

/**
 * Lets an instance of the first part load the rest when it needs it, or as soon as it is there.
 *
 * @param imports - what the instance has imported
 * @returns an instance with the exports of the undivided module; the same one if it was not divided.
 */
export function withRest(
  instance: WebAssembly.Instance,
  imports: WebAssembly.Imports | undefined,
  rest: LazyAsset | null,
): WebAssembly.Instance {
  const { exports } = instance;
  const [table, loaded, load] = ['functions', 'loaded', 'load'].map(name => exports[`${FIRST_PART}:${name}`]) as [
    WebAssembly.Table | undefined,
    WebAssembly.Global,
    () => void,
  ];
  if (!table || !rest) {
    return instance;
  }
  const complete = (): void => {
    const module = new WebAssembly.Module(read(rest) as Uint8Array<ArrayBuffer>);
    new WebAssembly.Instance(module, { ...imports, [FIRST_PART]: exports });
    rest.release();
    performance.mark('browsergrad:rest');
  };
  table.set(table.length - 1, forwarded(complete));
  rest.onTaken = () => {
    if (!loaded.value) {
      load();
    }
  };
  // Emscripten takes every export for a symbol.
  const own = Object.keys(exports).filter(name => !name.startsWith(`${FIRST_PART}:`));
  return { exports: Object.fromEntries(own.map(name => [name, exports[name]])) } as WebAssembly.Instance;
}
