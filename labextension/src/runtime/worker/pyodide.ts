/** The parts of Pyodide that this worker uses, and the values that Python passes to JavaScript. */
import type { FromWorker } from '../protocol';
import type { EmscriptenFS, ErrnoCodes } from './emscripten';
import type { LockedPackage } from './load_order';
import type { PlainEntries } from './stack';
import type { GuardedModule } from './stack_guard';
import type { OldLinker } from './wasm_libraries';

/** Sends a message to the page. */
export type Post = (message: FromWorker, transfer?: Transferable[]) => void;

/** A Python object as JavaScript sees it. */
export interface PyProxy {
  (...args: unknown[]): unknown;
  /** Calls the object so that Python can be suspended. */
  callPromising(...args: unknown[]): Promise<unknown>;
  toJs(options?: object): unknown;
  destroy(): void;
  [name: string]: unknown;
}

/** Options of Pyodide's loading functions. */
export interface LoadOptions {
  messageCallback?: (text: string) => void;
  errorCallback?: (text: string) => void;
}

export interface Pyodide {
  version: string;
  FS: EmscriptenFS;
  ERRNO_CODES: ErrnoCodes;
  loadedPackages: Record<string, string>;
  _api: {
    on_fatal?: (error: Error) => void;
    lockfile_packages?: Record<string, LockedPackage>;
    /** Packages of the lock, by the modules they contain. */
    _import_name_to_package_name?: Map<string, string>;
  };
  _module: PlainEntries &
    OldLinker &
    Partial<GuardedModule> & {
      HEAP32: Int32Array;
      HEAPU32: Uint32Array;
      /** Python's memory; since Pyodide 314. */
      memory?: WebAssembly.Memory;
      __Py_emscripten_signal_clock?: number;
      /** Address of C's `stdout`. */
      _stdout?: number;
      _setvbuf?(file: number, buffer: number, mode: number, size: number): number;
    };
  setStdout(options: object): void;
  setStderr(options: object): void;
  registerJsModule(name: string, module: object): void;
  setInterruptBuffer(buffer: unknown): void;
  pyimport(name: string): PyProxy;
  toPy(value: unknown): unknown;
  runPython(code: string): unknown;
  loadPackage(names: string[] | PyProxy, options?: LoadOptions): Promise<unknown>;
  loadPackagesFromImports(code: string, options?: LoadOptions): Promise<unknown>;
}

/** A copy of a Python bytes object. */
export function bytesOf(object: PyProxy | undefined): Uint8Array | null {
  return object ? (object.toJs() as Uint8Array) : null;
}

/** Copies a Python list of bytes-like objects into buffers of their own. */
export function copyBuffers(list: PyProxy): ArrayBuffer[] {
  const views = list.toJs() as ArrayBufferView[];
  return views.map(view => (view.buffer as ArrayBuffer).slice(view.byteOffset, view.byteOffset + view.byteLength));
}
