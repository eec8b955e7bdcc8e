/**
 * Fetches, checks and compiles what a start from the memory snapshot needs.
 */
import {
  addressOfVersion,
  canHash,
  checkHash,
  damagedAsset,
  fetchAsset,
  isInstalled,
  isPage,
  originOf,
  readAsset,
} from './assets';
import { sha256Of } from './bytes';
import { errorText } from './errors';
import { KeptContents } from './kept_contents';
import { compilePacked, isPackedFile, readForm, readPacked, type PackedFile } from './packed';

/** `manifest.json` of the kernel's folder. */
export interface KernelManifest {
  version: string;
  pyodide: string;
  packages: Record<string, string>;
  /** `modules`: the top-level modules of a pack that is fetched when one of them is imported. */
  packs: Record<string, PackedFile & { modules?: string[] }>;
  snapshot?: PackedFile & {
    /** The pack whose files the snapshot's Python has imported from. */
    pack: string;
    /** Files of the Pyodide distribution with which the snapshot was made: name to SHA-256. */
    pyodide: Record<string, string>;
    /**
     * Compressed copies of that distribution's files: its two modules (`Scripts` as JSON), and its WebAssembly. If there is a `rest`, `wasm` holds only
     * the functions that first cells run, and `rest` the others.
     */
    core?: { wasm: PackedFile; scripts: PackedFile; rest?: PackedFile };
    /** That distribution's standard library. */
    stdlib_size: number;
    stdlib_crc32: number;
    /** The field `info` of that distribution's lock. */
    lock_info: Lock['info'];
  };
}

export interface Lock {
  info: { python: string; [name: string]: unknown };
  packages: Record<string, unknown>;
}

/** The folder in which the Python of a distribution looks for packages. */
export function sitePackagesOf({ info }: Lock): string {
  const [major, minor] = info.python.split('.');
  return `/lib/python${major}.${minor}/site-packages`;
}

/** The sources of Pyodide's modules by their file names. */
export type Scripts = Record<'pyodide.mjs' | 'pyodide.asm.mjs', string>;

/** What a worker gets. All fields can be posted. */
export interface BootAssets {
  manifest: KernelManifest;
  lock: Lock;
  module: WebAssembly.Module;
  /** Pyodide's modules; null if the worker imports them by their addresses. */
  scripts: Scripts | null;
  /** The snapshot, unpacked; null if it is to be read from what the page has kept (`loadMemory`). */
  memory: ArrayBuffer | null;
  /** Faults of the site in spite of which Python starts. */
  problems: string[];
}

export const WASM = 'pyodide.asm.wasm';
/** Begins the names of what only the first part of a divided WebAssembly module exports; from a module of this name, the rest imports. */
export const FIRST_PART = 'browsergrad';
export const STDLIB = 'python_stdlib.zip';
const LOADER = 'pyodide.mjs';
const GLUE = 'pyodide.asm.mjs';
const LOCK = 'pyodide-lock.json';
const MANIFEST = 'manifest.json';

/** What the page knows before anything is fetched. */
export interface FetchHints {
  /** The first digits of the manifest's SHA-256. */
  manifest?: string;
  /** The first digits of the lock's SHA-256. */
  lock?: string;
  /** Whether the line is so slow that fewer bytes count for more than quick unpacking. */
  isSlow?: boolean;
}

/** Reads a file of JSON. If its version is known and the browser has it, the site is not asked. */
async function readJSON<T>(url: string, version: string | undefined, check: (content: T | null) => T): Promise<T> {
  if (version && canHash()) {
    try {
      const response = await fetchAsset(addressOfVersion(url, version), { cache: 'force-cache' });
      const bytes = await response.arrayBuffer();
      if ((await sha256Of(bytes)).startsWith(version)) {
        return check(JSON.parse(new TextDecoder().decode(bytes)) as T | null);
      }
    } catch {
      // what is wrong is found out below
    }
  }
  return readAsset(url, async response => check((await response.json()) as T | null));
}

export async function readManifest(kernelURL: string, { manifest }: FetchHints = {}): Promise<KernelManifest> {
  return readJSON<KernelManifest>(kernelURL + MANIFEST, manifest, content => {
    const { packs, snapshot } = content ?? {};
    if (!packs?.site) {
      throw new Error('it names no packs');
    }
    const { wasm, scripts, rest } = snapshot?.core ?? {};
    const core = snapshot?.core ? [wasm, scripts, ...(rest ? [rest] : [])] : [];
    if (![...Object.values(packs), ...(snapshot ? [snapshot] : []), ...core].every(isPackedFile)) {
      throw new Error('an entry of a file is incomplete');
    }
    return content!;
  });
}

export async function readLock(indexURL: string, { lock }: FetchHints = {}): Promise<Lock> {
  return readJSON<Lock>(indexURL + LOCK, lock, content => {
    if (!content?.info?.python || !content.packages) {
      throw new Error('it has no info and packages');
    }
    return content;
  });
}

/** Name of the pack with bytecode for the lock's Python. */
export function compiledPack(lock: Lock): string {
  return `site-cp${lock.info.python.split('.').slice(0, 2).join('')}`;
}

/** Whether a lock belongs to the distribution with this `info`. */
function describes(lock: Lock, info: Lock['info']): boolean {
  return Object.entries(info).every(([name, value]) => lock.info[name] === value);
}

/** SHA-256 of the distribution's files, by name; empty if the manifest belongs to another distribution. */
export function knownHashes(lock: Lock, { snapshot }: KernelManifest): Record<string, string> {
  return snapshot && describes(lock, snapshot.lock_info) ? snapshot.pyodide : {};
}

/** Compiles a WebAssembly module while it arrives. */
async function compile(response: Response): Promise<{ module: WebAssembly.Module; bytes: ArrayBuffer }> {
  if (!response.headers.get('content-type')?.startsWith('application/wasm')) {
    const bytes = await response.arrayBuffer();
    return { module: await WebAssembly.compile(bytes), bytes };
  }
  const copy = response.clone();
  const [module, bytes] = await Promise.all([WebAssembly.compileStreaming(response), copy.arrayBuffer()]);
  return { module, bytes };
}

/**
 * The size in bytes of a file that has not been fetched yet. 0 if the file is missing; null if the server does not say, or
 * compresses it.
 */
async function sizeOf(url: string): Promise<number | null> {
  try {
    const { ok, status, headers } = await fetch(url, { method: 'HEAD' });
    const length = headers.get('content-length');
    if (status === 404 || status === 410 || isPage(headers.get('content-type'))) {
      return 0;
    }
    return ok && length !== null && !headers.has('content-encoding') ? Number(length) : null;
  } catch {
    return null; // reported when Python needs the file
  }
}

/** Whether the bytes are a complete zip file. It may still be the wrong one. */
export function isWholeZip(bytes: Uint8Array): boolean {
  const at = bytes.length - 22;
  if (at < 0) {
    return false;
  }
  const end = new DataView(bytes.buffer, bytes.byteOffset + at);
  return end.getUint32(0, true) === 0x06054b50 && end.getUint32(12, true) + end.getUint32(16, true) === at;
}

/** Whether the server has a complete zip file at `url` that does not have `size` bytes. */
async function isOtherZip(url: string, size: number): Promise<boolean> {
  try {
    const response = await fetchAsset(url, { cache: 'no-cache' });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return bytes.length !== size && isWholeZip(bytes);
  } catch {
    return false;
  }
}

/** Pyodide's WebAssembly, compiled, and its modules. */
interface Core {
  module: WebAssembly.Module;
  scripts: Scripts | null;
}

/** Reads the compressed copies. Unlike Pyodide's own files, they are small on every web host. */
async function readCore(
  kernelURL: string,
  { wasm, scripts }: { wasm: PackedFile; scripts: PackedFile },
  kept: KeptContents,
  isSlow: boolean,
  onScripts: (scripts: Scripts) => void,
): Promise<Core> {
  // In this order: the modules are compiled while the rest is on its way.
  const reading = (async () => {
    const text = (await kept.read(scripts)) ?? (await readPacked(kernelURL, scripts));
    const sources = JSON.parse(new TextDecoder().decode(text)) as Scripts;
    onScripts(sources);
    return sources;
  })();
  const compile = (form: PackedFile): Promise<WebAssembly.Module> => compilePacked(kernelURL, form);
  const compiling = kept.compile(wasm).then(module => module ?? readForm(wasm, isSlow, compile));
  const [module, sources] = await Promise.all([compiling, reading]);
  return { module, scripts: sources };
}

/** Reads Pyodide's own files. The worker imports the modules later, from the browser's cache. */
async function readOwnCore(indexURL: string, hashes: Record<string, string>): Promise<Core> {
  const compiling = readAsset(indexURL + WASM, async response => {
    const { module, bytes } = await compile(response);
    await checkHash(bytes, hashes[WASM]);
    return module;
  });
  const [module] = await Promise.all([compiling, ...checkScripts(indexURL, hashes)]);
  return { module, scripts: null };
}

function checkScripts(indexURL: string, hashes: Record<string, string>): Promise<void>[] {
  return [LOADER, GLUE].map(name =>
    readAsset(indexURL + name, async response => checkHash(await response.arrayBuffer(), hashes[name])),
  );
}

/** Reads the snapshot: what an earlier visit has kept of it, else the file. */
export async function loadMemory(kernelURL: string, snapshot: PackedFile, isSlow = false): Promise<ArrayBuffer> {
  return (await new KeptContents(kernelURL).read(snapshot)) ?? unpackMemory(kernelURL, snapshot, isSlow);
}

function unpackMemory(kernelURL: string, snapshot: PackedFile, isSlow: boolean): Promise<ArrayBuffer> {
  return readForm(snapshot, isSlow, form => readPacked(kernelURL, form));
}

/**
 * Loads what a start from the snapshot needs.
 *
 * @param hints - what the page knows about site and line.
 * @param onScripts - called with Pyodide's modules, which come long before the rest.
 * @returns null if the site has no snapshot for this Pyodide.
 * @throws Error if something is missing, damaged or of another build.
 */
export async function loadBootAssets(
  indexURL: string,
  kernelURL: string,
  hints: FetchHints = {},
  onScripts: (scripts: Scripts) => void = () => undefined,
): Promise<BootAssets | null> {
  const describing = readManifest(kernelURL, hints);
  const locking = readLock(indexURL, hints).catch((error: unknown) => errorText(error));
  const kept = new KeptContents(kernelURL);
  const manifest = await describing;
  const { snapshot } = manifest;
  if (!snapshot) {
    return null;
  }
  const problems: string[] = [];
  const { isSlow = false } = hints;
  const reading =
    snapshot.core && !isInstalled(kernelURL)
      ? readCore(kernelURL, snapshot.core, kept, isSlow, onScripts).catch(async (error: unknown) => {
          if (error instanceof RangeError) {
            throw error; // no memory
          }
          problems.push(`${errorText(error)}. Pyodide's own files are used, which are larger`);
          return readOwnCore(indexURL, snapshot.pyodide);
        })
      : readOwnCore(indexURL, snapshot.pyodide);
  const remembering = kept.read(snapshot);
  const unpacking = remembering.then(memory => memory ?? unpackMemory(kernelURL, snapshot, isSlow));
  // Where an earlier visit has kept the memory, it has compared the library's size, too.
  const sizing = remembering.then(memory => (memory ? null : sizeOf(indexURL + STDLIB)));
  for (const early of [unpacking, sizing, reading]) {
    early.catch(() => undefined); // the error is thrown where `early` is awaited below
  }
  let lock = await locking;
  if (typeof lock !== 'string' && !describes(lock, snapshot.lock_info)) {
    const others = await Promise.allSettled(checkScripts(indexURL, snapshot.pyodide));
    if (others.every(({ status }) => status === 'rejected')) {
      return null; // another distribution, which has no snapshot
    }
    lock = damagedAsset(indexURL + LOCK, 'it describes another Pyodide').message;
  }
  if (typeof lock === 'string') {
    problems.push(`${lock}. Pyodide's packages can't be loaded until then`);
    lock = { info: snapshot.lock_info, packages: {} };
  }
  const size = await sizing;
  // With a complete but different standard library, Python can start only from files. With an incomplete one, it can start
  // only from the snapshot.
  const { stdlib_size } = snapshot;
  if (size && size !== stdlib_size && (await isOtherZip(indexURL + STDLIB, stdlib_size))) {
    throw damagedAsset(indexURL + STDLIB, 'it is not the one the snapshot was made with');
  }
  const [core, memory] = await Promise.all([reading, unpacking]);
  return { manifest, lock, ...core, memory, problems };
}

/** What is visibly wrong with one of Pyodide's files; null if nothing is. */
function flaw(name: string, bytes: Uint8Array): string | null {
  if (bytes.length === 0) {
    return 'it is empty';
  }
  if (name === WASM && new DataView(bytes.buffer).getUint32(0) !== 0x0061736d) {
    return 'it is not WebAssembly';
  }
  return name === STDLIB && !isWholeZip(bytes) ? 'it is not a complete zip file' : null;
}

/** Finds out which of Pyodide's files keep it from starting. Apart from a lack of memory, hardly anything else does. */
export async function explainFailure(
  error: unknown,
  indexURL: string,
  lock: Lock,
  manifest: KernelManifest,
): Promise<Error> {
  const hashes = knownHashes(lock, manifest);
  const faults: string[] = [];
  for (const name of new Set([LOADER, WASM, STDLIB, ...Object.keys(hashes)])) {
    try {
      await readAsset(indexURL + name, async response => {
        const bytes = await response.arrayBuffer();
        const problem = flaw(name, new Uint8Array(bytes));
        if (problem) {
          throw new Error(problem);
        }
        await (hashes[name] && checkHash(bytes, hashes[name]));
      });
    } catch (fault) {
      faults.push(errorText(fault));
    }
  }
  const cause = errorText(error);
  const text = `Python did not start: ${cause}`;
  if (faults.length) {
    return new Error(faults.includes(cause) ? faults.join('; ') : `${faults.join('; ')}. ${text}`);
  }
  return new Error(
    Object.keys(hashes).length
      ? `${text}. The files in ${indexURL} are whole now, so ${originOf(indexURL).again}`
      : `${text}. If a file in ${indexURL} is damaged, ${originOf(indexURL).damaged}`,
  );
}
