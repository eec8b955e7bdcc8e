/**
 * Fetches, checks and compiles what a start from the memory snapshot needs. The page does it once for
 * all its kernels; a host without a page leaves it to the worker.
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

async function gunzip(bytes: ArrayBuffer): Promise<ArrayBuffer> {
  const head = new Uint8Array(bytes, 0, 2);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    return bytes; // the server has sent it with Content-Encoding, and the browser has unpacked it
  }
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
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
 * Bytes of a file that is not fetched yet; null where the server does not say, or sends something
 * else than the file itself.
 */
async function sizeOf(url: string): Promise<number | null> {
  try {
    const { ok, headers } = await fetch(url, { method: 'HEAD' });
    const length = headers.get('content-length');
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
  const lock = await locking;
  if (!entry || !(`site-cp${lock.info.python.split('.').slice(0, 2).join('')}` in manifest.packs)) {
    return null;
  }
  const size = await sizing;
  if (size !== null && size !== entry.stdlib_size) {
    throw new Error(`${indexURL}${STDLIB} is not the one the snapshot was made with`);
  }
  const packed = await (await fetchAsset(kernelURL + entry.file)).arrayBuffer();
  const memory = await gunzip(packed);
  if (packed !== memory && !(await matches(packed, entry.sha256))) {
    throw new Error(`${kernelURL}${entry.file} is damaged: publish the site again`);
  }
  const { module, bytes } = await compiling;
  for (const [name, content] of [[WASM, bytes], [GLUE, await glue]] as const) {
    if (!(await matches(content, entry.pyodide[name]))) {
      throw new Error(`${indexURL}${name} is not the one the snapshot was made with`);
    }
  }
  return { manifest, lock, module, memory };
}

const shared = new Map<string, Promise<BootAssets | null>>();

/** The same, once for all kernels of the page; after a failure the next one tries again. */
export function sharedBootAssets(indexURL: string, kernelURL: string): Promise<BootAssets | null> {
  const key = `${indexURL} ${kernelURL}`;
  let assets = shared.get(key);
  if (!assets) {
    assets = loadBootAssets(indexURL, kernelURL);
    shared.set(key, assets);
    assets.catch(() => shared.delete(key));
  }
  return assets;
}
