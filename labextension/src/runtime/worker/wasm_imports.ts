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
