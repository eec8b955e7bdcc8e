/** Changes what WebAssembly modules import while Pyodide starts. */

/** What a module imports from `env`, by name: for Pyodide's module, functions of Pyodide's JavaScript. */
export type Env = WebAssembly.ModuleImports;

/** Calls `change` before each instantiation, until the returned function is called. */
export function changeImports(change: (env: Env) => void): () => void {
  const { instantiate, instantiateStreaming } = WebAssembly;
  const changed = (imports: WebAssembly.Imports | undefined): void => {
    if (imports?.env) {
      change(imports.env);
    }
  };
  WebAssembly.instantiate = ((source: BufferSource, imports?: WebAssembly.Imports) => {
    changed(imports);
    return instantiate.call(WebAssembly, source, imports);
  }) as typeof instantiate;
  WebAssembly.instantiateStreaming = (source, imports) => {
    changed(imports);
    return instantiateStreaming.call(WebAssembly, source, imports);
  };
  return () => {
    WebAssembly.instantiate = instantiate;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  };
}

type Imported = ((...values: unknown[]) => unknown) & { sig?: string };

/** Puts another function in the place of an imported one, if there is one. It keeps the signature that Emscripten notes in it. */
export function wrapImport(env: Env, name: string, wrap: (original: Imported) => Imported): void {
  const original = env[name] as Imported | undefined;
  if (typeof original === 'function') {
    env[name] = Object.assign(wrap(original), { sig: original.sig });
  }
}
