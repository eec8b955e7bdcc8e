/**
 * Compiles libraries ahead of their link. When Python imports a compiled module, Emscripten reads the file and compiles it while
 * Python waits. Here the compiled form is given to it in place of the file's bytes.
 *
 * This depends on two internals of Emscripten: its linker reads a library through the public `FS.readFile` (since Pyodide 0.28), or
 * looks it up in `preloadedWasm` before it reads it (before that). Where neither holds, it compiles the file itself, as always.
 */
import type { Pyodide } from './pyodide';

/** The parts of Emscripten's linker that Pyodide exported before 0.28. */
export interface OldLinker {
  /** Exports of libraries that need not be read, by their path. */
  preloadedWasm?: Record<string, unknown>;
  loadWebAssemblyModule?(module: WebAssembly.Module, flags: object, path: string, scope: object): unknown;
}

/** How an import links a module: its names are its own, and it stays. */
const FLAGS = { global: false, nodelete: true, loadAsync: false, allowUndefined: true };

export class WebAssemblyLibraries {
  private readonly compiled = new Map<string, WebAssembly.Module>();
  private readonly old: OldLinker;

  constructor({ FS, _module }: Pyodide) {
    this.old = _module;
    const { readFile } = FS;
    FS.readFile = (path, options) => {
      const module = options?.encoding === 'binary' ? this.take(path) : undefined;
      return (module as unknown as Uint8Array) ?? readFile.call(FS, path, options);
    };
  }

  /** Compiles the library that will be at `path`. A library that cannot be compiled is left to the import, which says why. */
  async compile(path: string, bytes: Uint8Array): Promise<void> {
    let module: WebAssembly.Module;
    try {
      module = await WebAssembly.compile(bytes as BufferSource);
    } catch {
      return;
    }
    const { preloadedWasm, loadWebAssemblyModule } = this.old;
    if (preloadedWasm && loadWebAssemblyModule) {
      Object.defineProperty(preloadedWasm, path, {
        get: () => loadWebAssemblyModule(module, FLAGS, path, {}),
        configurable: true,
      });
    } else {
      this.compiled.set(path, module);
    }
  }

  /** A linked library is not read again. */
  private take(path: string): WebAssembly.Module | undefined {
    const module = this.compiled.get(path);
    this.compiled.delete(path);
    return module;
  }
}
