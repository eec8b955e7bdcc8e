/**
 * Fetches the site's files, with errors that say what to do.
 */
import { crc32 } from './crc32';
import { errorText } from './errors';

/** A file made at build time; `size` and `sha256` are the gzip file's, `crc32` is of what is in it. */
export interface PackedFile {
  file: string;
  sha256: string;
  size: number;
  crc32: number;
}

/** Whether the file belongs to the installed package: outside of pages there is no site. */
const isInstalled = (url: string): boolean => url.startsWith('file:');

/** Where files came from, and so how to mend them. */
interface Origin {
  /** Where something is missing. */
  place: string;
  missing: string;
  damaged: string;
  /** Once the files are whole. */
  again: string;
  /** Where a package or its file is missing. */
  packages: string;
}

const INSTALL = 'install jupyterlite-browsergrad, or unpack that distribution, again';
const INSTALLED: Origin = {
  place: '',
  missing: INSTALL,
  damaged: INSTALL,
  again: 'restart the kernel',
  packages: INSTALL,
};
const SITE: Origin = {
  place: ' from the site',
  missing: 'build the site again with `jupyter lite build` and publish the whole output folder',
  damaged: 'publish the site again',
  again: 'restart the kernel',
  packages: 'build the site again with `jupyter lite build` and publish the whole output folder',
};
const SYNC = '`jupyter browsergrad sync FOLDER` copies runtime/, pyodide/ and kernel/ into a folder of your site';
const PAGE: Origin = {
  place: '',
  missing: `check pyodideIndexURL and kernelURL, and that these folders were copied whole: ${SYNC}`,
  damaged: `copy it again: ${SYNC}`,
  again: 'try again',
  packages:
    'what `jupyter browsergrad sync FOLDER` copies has no packages; for those copy a full Pyodide release to your site, ' +
    'with all files that its pyodide-lock.json names, and give its folder as pyodideIndexURL',
};

let published = SITE;

/** From now on, errors give advice for a web project that uses the runtime on its own. */
export function useOwnPage(): void {
  published = PAGE;
}

/** How to mend what is at `url`. */
export function originOf(url: string): Origin {
  return isInstalled(url) ? INSTALLED : published;
}

/** The error for a missing file; says how to mend it. */
export function missingAsset(url: string, why: string): Error {
  const { place, missing } = originOf(url);
  return new Error(`${url} is missing${place} (${why}): ${missing}`);
}

/** The error for a damaged file; says how to mend it. */
export function damagedAsset(url: string, why: string): Error {
  return new Error(`${url} is damaged or of another version (${why}): ${originOf(url).damaged}`);
}

/** Whether the answer is a web page: many hosts send one, with status 200, for a file they do not have. */
export function isPage(contentType: string | null): boolean {
  return contentType?.startsWith('text/html') ?? false;
}

/** Fetches `url`, saying what, where and how to mend it when that fails. */
export async function fetchAsset(url: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    throw isInstalled(url)
      ? missingAsset(url, errorText(error))
      : new Error(`${url} could not be fetched (${String(error)}): is the site still being served?`);
  }
  if (!response.ok) {
    throw missingAsset(url, `HTTP ${response.status}`);
  }
  if (isPage(response.headers.get('content-type'))) {
    throw missingAsset(url, 'the server sends a web page in its place');
  }
  return response;
}

/**
 * Fetches `url` and reads it. When that fails, fetches it once more past the browser's cache, which may hold a file of an
 * earlier version, or half a file from when the site was being published.
 *
 * @param read - throws when the contents are wrong; the message says why.
 */
export async function readAsset<T>(url: string, read: (response: Response) => Promise<T>): Promise<T> {
  const attempt = async (init?: RequestInit): Promise<T> => {
    const response = await fetchAsset(url, init);
    try {
      return await read(response);
    } catch (error) {
      throw error instanceof RangeError ? error : damagedAsset(url, errorText(error)); // a RangeError: no memory
    }
  };
  try {
    return await attempt();
  } catch {
    return attempt({ cache: 'no-cache' });
  }
}

/** @throws Error when the SHA-256 differs. Checks nothing on insecure origins, which cannot compute it. */
export async function checkHash(bytes: ArrayBuffer, sha256: string): Promise<void> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (!subtle) {
    return;
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', bytes));
  if (Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('') !== sha256) {
    throw new Error('its SHA-256 is not the one in manifest.json');
  }
}

/** @throws Error when the CRC-32 differs. */
export function checkSum(bytes: Uint8Array, sum: number): void {
  if (crc32(bytes) !== sum) {
    throw new Error('its checksum is another');
  }
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** Fetches a gzip file, unpacks it while it arrives, and checks it. */
export async function readPacked(folderURL: string, entry: PackedFile): Promise<ArrayBuffer> {
  return readAsset(folderURL + entry.file, async response => {
    let source = response;
    if (response.headers.has('content-encoding')) {
      const bytes = await response.arrayBuffer();
      if (!isGzip(new Uint8Array(bytes, 0, Math.min(2, bytes.byteLength)))) {
        checkSum(new Uint8Array(bytes), entry.crc32); // the browser has unpacked it
        return bytes;
      }
      source = new Response(bytes);
    }
    const copy = source.clone();
    const stream = source.body!.pipeThrough(new DecompressionStream('gzip'));
    const unpacking = new Response(stream).arrayBuffer().catch(() => {
      throw new Error('it is no whole gzip file'); // browsers say "failed to fetch"
    });
    const checking = copy.arrayBuffer().then(packed => checkHash(packed, entry.sha256));
    return (await Promise.all([unpacking, checking]))[0];
  });
}

/**
 * Imports one of the site's own modules, or says why that failed: browsers only say "failed to fetch".
 *
 * @param name - an export that the module must have.
 */
export async function importAsset(url: string, name?: string): Promise<unknown> {
  let module: Record<string, unknown>;
  try {
    module = await import(/* webpackIgnore: true */ /* @vite-ignore */ url);
  } catch (error) {
    const response = await fetchAsset(url, { cache: 'no-cache' }); // the next worker gets what the server has
    const wrongType = wrongModuleType(url, response);
    throw wrongType === null ? damagedAsset(url, String(error)) : new Error(`${url} cannot be imported: ${wrongType}`);
  }
  if (name !== undefined && !(name in module)) {
    throw damagedAsset(url, `it exports no ${name}`);
  }
  return module;
}

/** Imports one of the modules that the page's author lets Python import. */
export async function importModule(url: string): Promise<Record<string, unknown>> {
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ url)) as Record<string, unknown>;
  } catch (error) {
    const why = await scriptProblem(url);
    throw new Error(`jsModules: ${url} could not be imported (${why}): ${String(error)}`);
  }
}

/** Why a script did not load, as far as the server tells. */
export async function scriptProblem(url: string): Promise<string> {
  try {
    const response = await fetch(url, { cache: 'no-cache' });
    await response.body?.cancel();
    if (!response.ok) {
      return `HTTP ${response.status}`;
    }
    return wrongModuleType(url, response) ?? 'the file is there';
  } catch (error) {
    return errorText(error);
  }
}

/** Why browsers refuse to import a module served with this MIME type; null when they accept it. */
function wrongModuleType(url: string, { headers }: Response): string | null {
  const type = headers.get('content-type') ?? 'none';
  return isInstalled(url) || /javascript|ecmascript/.test(type)
    ? null
    : `it is served with MIME type "${type}"; browsers load modules as text/javascript only. ` +
        'Tell the server that .js and .mjs files are text/javascript';
}

/** The URL as Pyodide takes it: outside of pages it reads files by path, not by file URL. */
export function pathOrURL(url: string): string {
  return isInstalled(url) ? decodeURIComponent(new URL(url).pathname).replace(/^\/(?=[A-Za-z]:)/, '') : url;
}
