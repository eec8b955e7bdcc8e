/**
 * Starts Pyodide from a memory snapshot, which `jupyterlite_browsergrad/boot/make_snapshot.mjs` makes when the package is built.
 * Only this file depends on the internals of Pyodide and CPython that this needs.
 */
import { damagedAsset, pathOrURL } from '../assets';
import { fromBase64 } from '../base64';
import { isWholeZip, STDLIB, WASM, type BootAssets } from '../boot_assets';
import type { PackedFile } from '../packed';
import type { EmscriptenFS } from './emscripten';
import { fillHeap, type HeapModule } from './heap_filling';
import { fileMaker, FETCHES_NOW, LazyAsset, makeLazy, makeParted } from './lazy_assets';
import { Pack } from './pack';
import { withRest } from './rest_of_wasm';

const MAGIC = 0x33534742; // "BGS3"
/** The operating system gives memory in pages of 4 KiB. */
const WORDS_PER_PAGE = 1024;

type Run = [offset: number, length: number];

interface Header {
  buildId: string;
  heap: number;
  runs: Run[];
  /** Memory that a new instance of the WebAssembly holds already. */
  kept: Run[];
  /** What is left out of the memory (`Omitted`). The lengths are those of the bytes behind the runs. */
  omitted: { links: number; hashes: number; tables: number[] };
  state: unknown;
  tree: { folders: string[]; files: [path: string, base64: string][] };
  /** Files of the site pack: path, offset, length; offsets count from `siteOffset`. */
  site: [path: string, offset: number, length: number][];
  siteOffset: number;
}

interface EmscriptenModule extends HeapModule {
  API: {
    config: { BUILD_ID: string };
    public_api: Record<string, unknown>;
    restoreSnapshot: (data: Uint8Array) => unknown;
  };
  FS: EmscriptenFS;
  HEAP8: Int8Array;
  HEAP32: Int32Array;
  HEAPU8: Uint8Array;
  growMemory(bytes: number): boolean;
  __PyRuntime: number;
  __PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET: number;
  __tzset_js(timezone: number, daylight: number, standard: number, summer: number): void;
  _timezone: number;
  _daylight: number;
  _tzname: number;
}

export interface RestoreOptions {
  indexURL: string;
  kernelURL: string;
  assets: BootAssets;
  /** The snapshot, unpacked. */
  memory: ArrayBuffer;
  loadPyodide: (options: object) => Promise<unknown>;
  createModule: (settings: object) => Promise<unknown>;
  /** Further options of `loadPyodide`. */
  load: object;
  onError: (text: string) => void;
}

export interface Restored<P> {
  pyodide: P;
  /** Files of the site that Python may still need; to be fetched when the page has nothing else to do. */
  deferred: LazyAsset[];
}

function parse(memory: ArrayBuffer): { header: Header; data: Uint8Array } {
  const view = new DataView(memory);
  if (memory.byteLength < 8 || view.getUint32(0, true) !== MAGIC) {
    throw new Error('it is not a snapshot');
  }
  const length = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(memory, 8, length))) as Header;
  const data = new Uint8Array(memory, 8 + length);
  const { links, hashes } = header.omitted;
  if (header.runs.reduce((sum, [, size]) => sum + size, links + hashes) !== data.length) {
    throw new Error('it is incomplete');
  }
  return { header, data };
}

/**
 * Makes Pyodide use `module` instead of fetching and compiling its own, until `undo` is called. When an instantiation fails,
 * Pyodide only logs it and never settles; `failed` rejects.
 *
 * @param rest - the rest of the module, if it was divided
 */
function supply(
  module: WebAssembly.Module,
  rest: LazyAsset | null,
  wasmURL: string,
): { failed: Promise<never>; undo: () => void } {
  let reject!: (error: unknown) => void;
  const failed = new Promise<never>((_, rejectFailed) => {
    reject = rejectFailed;
  });
  failed.catch(() => undefined); // `Promise.race` in `restore` reports it
  const { fetch, WebAssembly: wasm } = globalThis;
  const { instantiate, instantiateStreaming } = wasm;
  const make = async (imports?: WebAssembly.Imports): Promise<WebAssembly.WebAssemblyInstantiatedSource> => {
    try {
      return { module, instance: withRest(await instantiate.call(wasm, module, imports), imports, rest) };
    } catch (error) {
      reject(error);
      throw error;
    }
  };
  globalThis.fetch = (input, init) =>
    String((input as Request).url ?? input) === wasmURL
      ? Promise.resolve(new Response(new Uint8Array(0), { headers: { 'content-type': 'application/wasm' } }))
      : fetch(input, init);
  wasm.instantiateStreaming = (_source, imports) => make(imports);
  // Pyodide calls this where it reads files instead of fetching them.
  wasm.instantiate = ((source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) =>
    imports?.env && !(source instanceof WebAssembly.Module)
      ? make(imports)
      : instantiate.call(wasm, source as WebAssembly.Module, imports)) as typeof instantiate;
  const undo = (): void => {
    globalThis.fetch = fetch;
    wasm.instantiate = instantiate;
    wasm.instantiateStreaming = instantiateStreaming;
  };
  return { failed, undo };
}

/** Restores the file system of the snapshot: the files Python has imported from, and those it has written. */
function mountFiles(
  FS: EmscriptenModule['FS'],
  sitePackages: string,
  header: Header,
  pack: LazyAsset,
  source: (path: string) => Uint8Array | undefined,
): void {
  const create = fileMaker(FS);
  for (const [path, offset, length] of header.site) {
    const start = header.siteOffset + offset;
    makeLazy(FS, create(`${sitePackages}/${path}`), length, () => {
      try {
        return pack.slice(start, length);
      } catch (error) {
        const bytes = source(path);
        if (bytes) {
          return bytes;
        }
        throw error;
      }
    });
  }
  header.tree.folders.forEach(folder => FS.mkdirTree(folder));
  for (const [path, base64] of header.tree.files) {
    FS.writeFile(path, fromBase64(base64));
  }
}

/** Returns a lookup in the pack without bytecode. The pack is read when the first file is needed. */
function sourcesIn(asset: LazyAsset): (path: string) => Uint8Array | undefined {
  let files: Map<string, Uint8Array> | undefined;
  return path => {
    files ??= new Map(new Pack(asset.get()).entries());
    return files.get(path);
  };
}

/**
 * Clears words of the memory up to `end`. A page of zeros is only read: a new instance's memory is full of them, and they take no memory until they
 * are written.
 */
function clear(words: Int32Array, begin: number, end: number): void {
  for (let at = begin; at < end; ) {
    const next = Math.min(end, (Math.floor(at / WORDS_PER_PAGE) + 1) * WORDS_PER_PAGE);
    for (let i = at; i < next; i++) {
      if (words[i] !== 0) {
        words.fill(0, at, next);
        break;
      }
    }
    at = next;
  }
}

/** Overwrites the memory of a new module with the snapshot. */
function restoreMemory(module: EmscriptenModule, { heap, runs, kept, omitted }: Header, data: Uint8Array): void {
  if (module.HEAP8.length < heap && !module.growMemory(heap)) {
    throw new Error('the memory cannot grow');
  }
  // CPython calls functions through a table entry that belongs to this instance, so this word is kept.
  const at = (module.__PyRuntime + module.HEAP32[module.__PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET >>> 2]) >>> 2;
  const trampoline = module.HEAP32[at];
  const memory = module.HEAPU8;
  let from = 0;
  for (const [offset, length] of runs) {
    memory.set(data.subarray(from, from + length), offset);
    from += length;
  }
  const words = module.HEAP32;
  let end = 0;
  for (const [offset, length] of [...runs, ...kept].sort(([a], [b]) => a - b)) {
    clear(words, end >>> 2, offset >>> 2);
    end = offset + length;
  }
  clear(words, end >>> 2, heap >>> 2);
  words[at] = trampoline;
  fillHeap(module, {
    links: data.subarray(from, from + omitted.links),
    hashes: data.subarray(from + omitted.links),
    tables: omitted.tables,
  });
}

/**
 * Starts Pyodide from the snapshot.
 *
 * @throws Error if that fails. A start from Pyodide's files is then still possible in the same worker.
 */
export async function restore<P>(options: RestoreOptions): Promise<Restored<P>> {
  const { indexURL, kernelURL, assets } = options;
  const { manifest, lock } = assets;
  const { header, ...parsed } = parse(options.memory);
  let data: Uint8Array | null = parsed.data;
  const entry = manifest.snapshot!;
  const lazy = ({ file, crc32 }: PackedFile): LazyAsset => new LazyAsset(kernelURL + file, crc32, options.onError);
  const packed = (name: string): LazyAsset => lazy(manifest.packs[name]);
  const rest = assets.scripts && entry.core?.rest ? lazy(entry.core.rest) : null;
  const pack = packed(entry.pack);
  const stdlib = new LazyAsset(indexURL + STDLIB, entry.stdlib_crc32, options.onError);
  const sources = packed('site');
  if (!FETCHES_NOW) {
    // The files are on this machine. A damaged or missing standard library is reported when Python needs it.
    sources.prefetch().catch(() => undefined);
    const [bytes] = await Promise.all([stdlib.prefetch().catch(() => null), pack.prefetch()]);
    if (bytes && bytes.length !== entry.stdlib_size && isWholeZip(bytes)) {
      throw damagedAsset(indexURL + STDLIB, 'it is not the one the snapshot was made with');
    }
  }
  const [major, minor] = lock.info.python.split('.');
  let module!: EmscriptenModule;
  const { failed, undo } = supply(assets.module, rest, indexURL + WASM);
  try {
    const loading = options.loadPyodide({
      ...options.load,
      indexURL: pathOrURL(indexURL),
      stdLibURL: 'data:application/zip,',
      lockFileContents: JSON.stringify(lock),
      packageBaseUrl: indexURL,
      _loadSnapshot: new Uint8Array(0),
      _snapshotDeserializer: (object: { pyodide?: string }) => {
        const api = module.API.public_api;
        return object.pyodide === '' ? api : api[object.pyodide ?? ''];
      },
      fsInit: async (FS: EmscriptenModule['FS'], { sitePackages }: { sitePackages: string }) =>
        mountFiles(FS, sitePackages, header, pack, sourcesIn(sources)),
      createPyodideModule: async (settings: { API: EmscriptenModule['API'] }) => {
        if (settings.API.config.BUILD_ID !== header.buildId) {
          throw new Error('it belongs to another build of Pyodide');
        }
        module = (await options.createModule(settings)) as EmscriptenModule;
        const { node } = module.FS.lookupPath(`/lib/python${major}${minor}.zip`);
        makeParted(module.FS, node, entry.stdlib_size, stdlib);
        module.API.restoreSnapshot = () => {
          restoreMemory(module, header, data!);
          data = null; // Pyodide keeps this function
          return header.state;
        };
        return module;
      },
    });
    const pyodide = (await Promise.race([loading, failed])) as P;
    const { HEAPU32, _tzname } = module;
    module.__tzset_js(module._timezone, module._daylight, HEAPU32[_tzname >>> 2], HEAPU32[(_tzname + 4) >>> 2]);
    return { pyodide, deferred: FETCHES_NOW ? [...(rest ? [rest] : []), stdlib, pack] : [] };
  } finally {
    undo();
  }
}
