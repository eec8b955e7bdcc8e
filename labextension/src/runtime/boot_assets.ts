/**
 * Fetches, checks and compiles what a start from the memory snapshot needs, once for all kernels of a page: the idle
 * page does it ahead, else the first kernel's worker, which nothing keeps busy.
 */
import { fetchAsset } from './assets';

/** `manifest.json` of the kernel's folder. */
export interface KernelManifest {
  version: string;
  pyodide: string;
  packages: Record<string, string>;
  packs: Record<string, { file: string; sha256: string; size: number }>;
  snapshot?: {
    file: string;
    sha256: string;
    size: number;
    /** The pack whose files the snapshot's Python has imported from. */
    pack: string;
    /** Files of the Pyodide distribution it was made with: name to SHA-256. */
    pyodide: Record<string, string>;
    /** Bytes of that distribution's standard library. */
    stdlib_size: number;
  };
}

export interface Lock {
  info: { python: string };
  packages: Record<string, unknown>;
}

/** What the worker gets; all of it can be cloned. */
export interface BootAssets {
  manifest: KernelManifest;
  lock: Lock;
  module: WebAssembly.Module;
  /** The snapshot, unpacked. */
  memory: ArrayBuffer;
}

const WASM = 'pyodide.asm.wasm';
const STDLIB = 'python_stdlib.zip';
const GLUE = 'pyodide.asm.mjs';

/** Whether the bytes have this SHA-256; true where that can't be computed (insecure origins). */
async function matches(bytes: ArrayBuffer, sha256: string): Promise<boolean> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (!subtle) {
    return true;
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('') === sha256;
}

/** Fetches gzip and unpacks it while it arrives; `packed` is null where the browser has done that already (Content-Encoding). */
async function gzip(url: string): Promise<{ packed: ArrayBuffer | null; unpacked: ArrayBuffer }> {
  const response = await fetchAsset(url);
  if (response.headers.has('content-encoding')) {
    return { packed: null, unpacked: await response.arrayBuffer() };
  }
  const copy = response.clone();
  const stream = response.body!.pipeThrough(new DecompressionStream('gzip'));
  const [unpacked, packed] = await Promise.all([new Response(stream).arrayBuffer(), copy.arrayBuffer()]);
  return { packed, unpacked };
}

/** Compiles while it is fetched; the bytes come too, to be checked. */
async function wasm(url: string): Promise<{ module: WebAssembly.Module; bytes: ArrayBuffer }> {
  const response = await fetchAsset(url);
  if (!response.headers.get('content-type')?.startsWith('application/wasm')) {
    const bytes = await response.arrayBuffer();
    return { module: await WebAssembly.compile(bytes), bytes };
  }
  const copy = response.clone();
  const [module, bytes] = await Promise.all([WebAssembly.compileStreaming(response), copy.arrayBuffer()]);
  return { module, bytes };
}

/**
 * Bytes of a file that is not fetched yet, 0 when it is missing; null where the server does not say, or sends
 * something else than the file itself.
 */
async function sizeOf(url: string): Promise<number | null> {
  try {
    const { ok, status, headers } = await fetch(url, { method: 'HEAD' });
    const length = headers.get('content-length');
    if (status === 404 || status === 410) {
      return 0;
    }
    return ok && length !== null && !headers.has('content-encoding') ? Number(length) : null;
  } catch {
    return null; // it is reported when Python needs the file
  }
}

async function json<T>(url: string): Promise<T> {
  return (await (await fetchAsset(url)).json()) as T;
}

/**
 * Loads what a start from the snapshot needs; null where the site has none.
 *
 * @throws Error when something is missing, damaged or belongs to another build.
 */
export async function loadBootAssets(indexURL: string, kernelURL: string): Promise<BootAssets | null> {
  const compiling = wasm(indexURL + WASM);
  const locking = json<Lock>(`${indexURL}pyodide-lock.json`);
  const sizing = sizeOf(indexURL + STDLIB);
  const glue = fetchAsset(indexURL + GLUE).then(response => response.arrayBuffer());
  for (const early of [compiling, locking, glue]) {
    early.catch(() => undefined); // whoever awaits it below sees the error
  }
  const manifest = await json<KernelManifest>(`${kernelURL}manifest.json`);
  const entry = manifest.snapshot;
  if (!entry) {
    return null;
  }
  const pack = manifest.packs[entry.pack];
  const sizingPack = sizeOf(kernelURL + pack.file);
  const unpacking = gzip(kernelURL + entry.file);
  unpacking.catch(() => undefined);
  const lock = await locking;
  if (!(`site-cp${lock.info.python.split('.').slice(0, 2).join('')}` in manifest.packs)) {
    return null;
  }
  const size = await sizing;
  if (size && size !== entry.stdlib_size) {
    throw new Error(`${indexURL}${STDLIB} is not the one the snapshot was made with`);
  }
  // Without its standard library Python can't start from files; from the snapshot it can.
  const packSize = await sizingPack;
  if (size !== 0 && packSize !== null && packSize !== pack.size) {
    throw new Error(`${kernelURL}${pack.file} is missing or damaged: publish the site again`);
  }
  const { module, bytes } = await compiling;
  const checks = [[WASM, bytes], [GLUE, await glue]].map(async ([name, content]) => {
    if (!(await matches(content as ArrayBuffer, entry.pyodide[name as string]))) {
      throw new Error(`${indexURL}${String(name)} is not the one the snapshot was made with`);
    }
  });
  await Promise.all(checks);
  const { packed, unpacked } = await unpacking;
  if (packed && !(await matches(packed, entry.sha256))) {
    throw new Error(`${kernelURL}${entry.file} is damaged: publish the site again`);
  }
  return { manifest, lock, module, memory: unpacked };
}

const shared = new Map<string, Promise<BootAssets | null>>();

function share(key: string, assets: Promise<BootAssets | null>): Promise<BootAssets | null> {
  shared.set(key, assets);
  assets.catch(() => shared.delete(key));
  return assets;
}

/** The same, once for all kernels of the page; after a failure the next one tries again. */
export function sharedBootAssets(indexURL: string, kernelURL: string): Promise<BootAssets | null> {
  const key = `${indexURL} ${kernelURL}`;
  return shared.get(key) ?? share(key, loadBootAssets(indexURL, kernelURL));
}

/** Tells what a worker has loaded: the assets, null where the site has none, why it failed; undefined when it has ended before. */
export type Supply = (assets: BootAssets | null | Error | undefined) => void;

/**
 * Lets further kernels wait for the assets that the caller's worker is about to load; null when somebody
 * has begun before, and `sharedBootAssets` gives them.
 */
export function offerBootAssets(indexURL: string, kernelURL: string): Supply | null {
  const key = `${indexURL} ${kernelURL}`;
  if (shared.has(key)) {
    return null;
  }
  let supply!: Supply;
  void share(
    key,
    new Promise((resolve, reject) => {
      let open = true;
      supply = assets => {
        if (assets === undefined) {
          if (open) {
            resolve(loadBootAssets(indexURL, kernelURL));
          }
        } else if (assets instanceof Error) {
          reject(assets);
        } else {
          resolve(assets);
        }
        open = false;
      };
    }),
  );
  return supply;
}
