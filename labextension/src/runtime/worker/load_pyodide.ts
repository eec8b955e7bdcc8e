/**
 * Imports Pyodide's modules and loads it, naming the file at fault when that fails.
 */
import { fetchAsset, importAsset } from '../assets';
import { WASM } from '../boot_assets';
import { isOutOfMemory } from '../errors';
import { FETCHES_NOW } from './lazy_assets';
import type { Post, Pyodide } from './pyodide';

export interface PyodideModules {
  loadPyodide(options: object): Promise<unknown>;
  createModule(settings: object): Promise<unknown>;
}

/** Pyodide's two modules, at once: one imports the other only later. */
export async function importPyodide(indexURL: string): Promise<PyodideModules> {
  const [loader, glue] = (await Promise.all([
    importAsset(`${indexURL}pyodide.mjs`, 'loadPyodide'),
    importAsset(`${indexURL}pyodide.asm.mjs`, 'default'),
  ])) as [{ loadPyodide: (options: object) => Promise<unknown> }, { default: (settings: object) => Promise<unknown> }];
  return { loadPyodide: loader.loadPyodide, createModule: glue.default };
}

/** What `os.environ` begins with. */
export function environment(): Record<string, string> {
  return { HOME: '/home/pyodide', LANG: `${(navigator.language || 'en-US').replace('-', '_')}.UTF-8` };
}

/** Options of `loadPyodide` for every way of starting. Until Python runs, what it writes goes to the log. */
export function loadOptions(post: Post): object {
  return {
    enableRunUntilComplete: true,
    stdout: (text: string) => post({ type: 'log', level: 'info', text }),
    stderr: (text: string) => post({ type: 'log', level: 'warning', text }),
    env: environment(),
  };
}

/**
 * Loads Pyodide, and names the asset at fault when that fails. Pyodide only logs a failed WebAssembly
 * instantiation and never settles, so that is watched for; and it refuses to instantiate what is
 * served with another MIME type, which needs no more than to be read whole.
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
  failed.catch(() => undefined); // it is raced against
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
  // Where Pyodide reads files instead of fetching them.
  WebAssembly.instantiate = ((source: BufferSource, imports?: WebAssembly.Imports) =>
    watch(instantiate.call(WebAssembly, source, imports))) as typeof instantiate;
  if (!FETCHES_NOW) {
    // There it asks for the file before it instantiates that.
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
