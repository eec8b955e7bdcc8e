/**
 * Starts Python: from the memory snapshot where there is one, else from Pyodide's files.
 */
import { checkHash, damagedAsset, importAsset, pathOrURL } from '../assets';
import {
  compiledPack,
  explainFailure,
  knownHashes,
  loadBootAssets,
  loadMemory,
  readLock,
  readManifest,
  sitePackagesOf,
  STDLIB,
  type BootAssets,
  type KernelManifest,
  type Lock,
  type Scripts,
} from '../boot_assets';
import { free } from '../bytes';
import { errorText } from '../errors';
import type { PackedFile } from '../packed';
import type { BootInfo, BootOptions } from '../protocol';
import { mountDivided } from './divided_pack';
import type { EmscriptenFS } from './emscripten';
import { takeHighAddresses } from './high_addresses';
import { FETCHES_NOW, LazyAsset } from './lazy_assets';
import {
  environment,
  importPyodide,
  importSources,
  loadOptions,
  loadPyodide,
  type PyodideModules,
} from './load_pyodide';
import { limitMemory } from './memory_limit';
import { Pack } from './pack';
import type { Post, Pyodide, PyProxy } from './pyodide';
import { Python, type Progress, type PythonDependencies } from './python';
import { restore } from './snapshot';
import { changeImports } from './wasm_imports';

export interface BootDependencies extends PythonDependencies {
  /**
   * What the page has loaded for a start from the snapshot. Null when the page sends nothing: then the worker loads it and
   * sends it to the page.
   */
  assets: Promise<BootAssets | null> | null;
}

/** A running Python, and how it was started. */
type Started = [python: Python, pyodide: Pyodide, from: BootInfo['from']];

/** @throws Error that says what is missing or damaged, where it is, and how to repair it. */
export async function boot(options: BootOptions, dependencies: BootDependencies): Promise<[Python, BootInfo]> {
  const { post } = dependencies;
  const progress: Progress = (stage, fraction, message) =>
    post({ type: 'progress', progress: { stage, fraction, message } });
  progress('runtime', 0.05, 'Fetching Python');
  const { interrupts, longTexts } = dependencies;
  const keepImports = changeImports(env => {
    interrupts.gate.place(env);
    longTexts.place(env);
    takeHighAddresses(env);
    if (options.memoryMB) {
      limitMemory(env, options.memoryMB);
    }
  });
  let started: Started;
  try {
    started =
      (await fromSnapshot(options, dependencies, progress)) ?? (await fromFiles(options, dependencies, progress));
  } finally {
    keepImports();
  }
  const [python, pyodide, from] = started;
  const pythonVersion = String(pyodide.runPython('__import__("sys").version.split()[0]')); // defines no name in Python
  progress('ready', 1, 'Python is ready');
  return [python, { pythonVersion, pyodideVersion: pyodide.version, interruptMode: interrupts.mode, from }];
}

/** Starts Python from the memory snapshot. @returns null if there is none or it does not work. */
async function fromSnapshot(
  options: BootOptions,
  dependencies: BootDependencies,
  progress: Progress,
): Promise<Started | null> {
  const { post } = dependencies;
  const share = (assets: BootAssets | null, problem?: string): void => {
    if (!dependencies.assets) {
      post({ type: 'assets', assets, problem }, assets?.memory ? [assets.memory] : []);
    }
  };
  if (options.mode !== 'kernel' || options.packages.length || options.jsModules.length) {
    return null;
  }
  const { indexURL, kernelURL, hints } = options;
  let modules = null as Promise<PyodideModules> | null;
  const take = (importing: Promise<PyodideModules>): void => {
    modules = importing;
    modules.catch(() => undefined); // awaited below
  };
  // While the rest is still on its way, the modules are compiled. In Deno they are files on this machine.
  const takeSources = (scripts: Scripts): void => take(importSources(scripts, indexURL));
  if (!FETCHES_NOW) {
    take(importPyodide(indexURL));
  }
  try {
    const assets = await (dependencies.assets ?? loadBootAssets(indexURL, kernelURL, hints, takeSources));
    if (!assets) {
      share(null);
      return null;
    }
    assets.problems.forEach(text => post({ type: 'log', level: 'error', text }));
    progress('runtime', 0.5, 'Starting Python');
    if (!modules) {
      take(assets.scripts ? importSources(assets.scripts, indexURL) : importPyodide(indexURL));
    }
    assets.memory ??= await loadMemory(kernelURL, assets.manifest.snapshot!, hints?.isSlow);
    const { pyodide, deferred } = await restore<Pyodide>({
      ...(await modules!),
      indexURL,
      kernelURL,
      assets,
      memory: assets.memory,
      load: loadOptions(post),
      onError: text => post({ type: 'log', level: 'error', text }),
    });
    share(assets);
    discard(assets);
    (pyodide.pyimport('browsergrad_kernel.snapshot').repair as PyProxy)(pyodide.toPy(environment()));
    const { manifest, lock } = assets;
    const distribution = { manifest, lock, withMicropip: true, deferred };
    const python = await Python.start(pyodide, distribution, options, dependencies, progress);
    return [python, pyodide, 'snapshot'];
  } catch (error) {
    share(null, errorText(error));
    post({
      type: 'log',
      level: 'warning',
      text: `Python starts without its memory snapshot: ${errorText(error)}`,
    });
    return null;
  }
}

/** Frees the memory of the snapshot. It is long, other objects refer to these assets for as long as the kernel runs, and workers collect garbage seldom. */
function discard(assets: BootAssets): void {
  const { memory } = assets;
  assets.memory = null;
  if (memory) {
    free(memory);
  }
}

/** Starts Python from Pyodide's files, as Pyodide's documentation describes. */
async function fromFiles(options: BootOptions, dependencies: BootDependencies, progress: Progress): Promise<Started> {
  const { post } = dependencies;
  const loader = importAsset(`${options.indexURL}pyodide.mjs`, 'loadPyodide');
  loader.catch(() => undefined); // reported where it is awaited
  const { indexURL, kernelURL, hints } = options;
  const [lock, manifest] = await Promise.all([readLock(indexURL, hints), readManifest(kernelURL, hints)]);
  const [major, minor] = lock.info.python.split('.');
  const keeps = bringsMicropip(manifest, lock);
  const without = keeps ? ['micropip/', `micropip-${manifest.packages.micropip}.`] : [];
  const site = fetchSite(options.kernelURL, manifest, compiledPack(lock), without, post);
  // A failure is reported where `site` is awaited. Without this line it would count as unhandled while Pyodide loads.
  site.catch(() => undefined);

  const { loadPyodide: load } = (await loader) as {
    loadPyodide: (options: object) => Promise<Pyodide>;
  };
  const folder = sitePackagesOf(lock);
  let unpacked = false;
  progress('runtime', 0.2, 'Starting Python');
  const explain = (error: unknown): Promise<Error> => explainFailure(error, options.indexURL, lock, manifest);
  const pyodide = await loadPyodide(options.indexURL, load, explain, {
    ...loadOptions(post),
    indexURL: pathOrURL(options.indexURL),
    fsInit: async (FS: EmscriptenFS) => {
      (await site).unpack(FS, folder);
      unpacked = true;
    },
  });
  if (!unpacked) {
    (await site).unpack(pyodide.FS, folder);
    pyodide.runPython('__import__("importlib").invalidate_caches()');
  }
  const hash = knownHashes(lock, manifest)[STDLIB];
  if (hash) {
    // Python can start even from a damaged standard library, so the file is checked afterwards.
    checkHash(pyodide.FS.readFile(`/lib/python${major}${minor}.zip`).buffer as ArrayBuffer, hash).catch(
      (error: unknown) =>
        post({
          type: 'log',
          level: 'error',
          text: damagedAsset(options.indexURL + STDLIB, errorText(error)).message,
        }),
    );
  }
  const distribution = { manifest, lock, withMicropip: !keeps, deferred: (await site).deferred };
  const python = await Python.start(pyodide, distribution, options, dependencies, progress);
  return [python, pyodide, 'files'];
}

/** The kernel's Python files, for a start without a snapshot. */
interface SiteFiles {
  unpack(FS: EmscriptenFS, folder: string): void;
  /** Files that Python may need later. */
  deferred: LazyAsset[];
}

/**
 * Fetches the kernel's Python files: with bytecode, or those without it.
 *
 * @param compiled - name of the pack with bytecode. It is divided if the build made it for a distribution without a snapshot.
 */
async function fetchSite(
  kernelURL: string,
  { packs }: KernelManifest,
  compiled: string,
  without: string[],
  post: Post,
): Promise<SiteFiles> {
  const whole = async (name: string): Promise<SiteFiles> => {
    const pack = await Pack.fetch(kernelURL, packs[name]);
    return { unpack: (FS, folder) => pack.unpack(FS, folder, without), deferred: [] };
  };
  const divided = async (entry: PackedFile): Promise<SiteFiles> => {
    const log = (text: string): void => post({ type: 'log', level: 'error', text });
    const later = new LazyAsset(kernelURL + entry.file, entry.crc32, log);
    const [pack] = await Promise.all([Pack.fetch(kernelURL, packs[compiled]), FETCHES_NOW ? null : later.prefetch()]);
    const unpack: SiteFiles['unpack'] = (FS, folder) => mountDivided(FS, pack, later, path => `${folder}/${path}`);
    return { unpack, deferred: FETCHES_NOW ? [later] : [] };
  };
  if (!(compiled in packs)) {
    return whole('site');
  }
  const later = packs[`${compiled}.later`] as PackedFile | undefined;
  try {
    return await (later ? divided(later) : whole(compiled));
  } catch (error) {
    post({ type: 'log', level: 'warning', text: `Python compiles its packages now: ${errorText(error)}` });
    return whole('site');
  }
}

/** Whether the distribution's own micropip is used. A micropip works only with the Pyodide version it was made for. */
function bringsMicropip(manifest: KernelManifest, lock: Lock): boolean {
  return !('micropip' in manifest.packages) || (!(compiledPack(lock) in manifest.packs) && 'micropip' in lock.packages);
}
