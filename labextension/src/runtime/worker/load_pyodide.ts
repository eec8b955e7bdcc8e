/**
 * Imports Pyodide's modules and loads Pyodide. If that fails, the error names the file at fault.
 */
import { fetchAsset, importAsset } from '../assets';
import { WASM, type Scripts } from '../boot_assets';
import { isOutOfMemory } from '../errors';
import { FETCHES_NOW } from './lazy_assets';
import type { Post, Pyodide } from './pyodide';

export interface PyodideModules {
  loadPyodide(options: object): Promise<unknown>;
  createModule(settings: object): Promise<unknown>;
}

type Loader = Pick<PyodideModules, 'loadPyodide'>;
type Glue = { default: PyodideModules['createModule'] };

const together = ([loader, glue]: [unknown, unknown]): PyodideModules => ({
  loadPyodide: (loader as Loader).loadPyodide,
  createModule: (glue as Glue).default,
});

/** Imports Pyodide's two modules together. By itself, the first would import the second only later. */
export async function importPyodide(indexURL: string): Promise<PyodideModules> {
  return together(
    await Promise.all([
      importAsset(`${indexURL}pyodide.mjs`, 'loadPyodide'),
      importAsset(`${indexURL}pyodide.asm.mjs`, 'default'),
    ]),
  );
}

/** The addresses of Pyodide's modules that were imported from their sources. They appear in tracebacks that go through JavaScript. */
export const importedSources = new Set<string>();

/**
 * Imports Pyodide's two modules from their sources, else by their addresses: a site's Content-Security-Policy may refuse modules
 * that have no address on the site.
 */
export async function importSources(scripts: Scripts, indexURL: string): Promise<PyodideModules> {
  const run = async (source: string): Promise<unknown> => {
    const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
    importedSources.add(url);
    try {
      return await import(/* webpackIgnore: true */ /* @vite-ignore */ url);
    } finally {
      URL.revokeObjectURL(url);
    }
  };
  try {
    return together(await Promise.all([run(scripts['pyodide.mjs']), run(scripts['pyodide.asm.mjs'])]));
  } catch {
    return importPyodide(indexURL);
  }
}

/** The first contents of `os.environ`. */
export function environment(): Record<string, string> {
  return { HOME: '/home/pyodide', LANG: `${(navigator.language || 'en-US').replace('-', '_')}.UTF-8` };
}

/** Options of `loadPyodide` that all starts have in common. Until Python is prepared, its output goes to the log. */
export function loadOptions(post: Post): object {
  return {
    enableRunUntilComplete: true,
    stdout: (text: string) => post({ type: 'log', level: 'info', text }),
    stderr: (text: string) => post({ type: 'log', level: 'warning', text }),
    env: environment(),
  };
}

/**
 * Loads Pyodide. If that fails, the error names the file at fault. Meanwhile it wraps WebAssembly's functions, for two reasons.
 * Pyodide only logs a failed instantiation and then never settles. And it refuses a module that is served with another MIME
 * type, although such a module works if it is read whole first.
 */
export async function loadPyodide(
  indexURL: string,
  load: (options: object) => Promise<Pyodide>,
  explain: (error: unknown) => Promise<Error>,
  options: object,
): Promise<Pyodide> {
  const { instantiate, instantiateStreaming } = WebAssembly;
  let reject!: (error: unknown) => void;
  const failed = new Promise<never>((_, rejectFailed) => {
    reject = rejectFailed;
  });
  failed.catch(() => undefined); // `Promise.race` below reports it
  const watch = async <T>(instantiating: Promise<T>): Promise<T> => {
    instantiating.catch(reject);
    return instantiating;
  };
  WebAssembly.instantiateStreaming = async (source, imports) => {
    const response = await source;
    const streams = response.headers.get('content-type')?.startsWith('application/wasm');
    return watch(
      streams || !response.ok
        ? instantiateStreaming.call(WebAssembly, response, imports)
        : response.arrayBuffer().then(bytes => WebAssembly.instantiate(bytes, imports)),
    );
  };
  // Pyodide calls this where it reads files instead of fetching them.
  WebAssembly.instantiate = ((source: BufferSource, imports?: WebAssembly.Imports) =>
    watch(instantiate.call(WebAssembly, source, imports))) as typeof instantiate;
  if (!FETCHES_NOW) {
    // In Deno, Pyodide fails on a missing file before it instantiates anything, and nobody would notice. This request does.
    fetchAsset(indexURL + WASM).then(response => response.body?.cancel(), reject);
  }
  try {
    return await Promise.race([load(options), failed]);
  } catch (error) {
    throw isOutOfMemory(error) ? error : await explain(error);
  } finally {
    WebAssembly.instantiate = instantiate;
    WebAssembly.instantiateStreaming = instantiateStreaming;
  }
}
