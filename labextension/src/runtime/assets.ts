/**
 * Fetches the site's files. Errors say what to do.
 */
import { sha256Of } from './bytes';
import { crc32 } from './crc32';
import { errorText } from './errors';

/** Whether the file belongs to the installed package: outside of pages there is no site. */
export const isInstalled = (url: string): boolean => url.startsWith('file:');

/** How to repair files, which depends on where they come from. Each field is a part of an error message. */
interface Origin {
  /** The place from which a file is missing. */
  place: string;
  /** What to do about a missing file. */
  missing: string;
  /** What to do about a damaged file. */
  damaged: string;
  /** What to do once the files are whole. */
  again: string;
  /** What to do about a missing package, or a missing file of one. */
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

/** Makes errors give advice for a web project that uses the runtime without Jupyter. */
export function useOwnPage(): void {
  published = PAGE;
}

/** How to repair the file at `url`. */
export function originOf(url: string): Origin {
  return isInstalled(url) ? INSTALLED : published;
}

/** The address of a file with its version, if that is known. A browser may keep what has such an address. */
export const addressOfVersion = (url: string, version: string | undefined): string =>
  version ? `${url}?v=${version}` : url;

/** The error for a missing file, with advice. */
export function missingAsset(url: string, why: string): Error {
  const { place, missing } = originOf(url);
  return new Error(`${url} is missing${place} (${why}): ${missing}`);
}

/** The error for a damaged file, with advice. */
export function damagedAsset(url: string, why: string): Error {
  return new Error(`${url} is damaged or of another version (${why}): ${originOf(url).damaged}`);
}

/** Whether the answer is a web page. Many web hosts send one, with status 200, for a file that they do not have. */
export function isPage(contentType: string | null): boolean {
  return contentType?.startsWith('text/html') ?? false;
}

/** Fetches `url`. @throws Error that says what failed, where, and how to repair it. */
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
 * Fetches `url` and reads it. If that fails, fetches it once more from the server: the browser's cache may hold a file of an
 * earlier version, or a part of a file from when the site was being published.
 *
 * @param read - throws if the contents are wrong; the message says why.
 */
export async function readAsset<T>(url: string, read: (response: Response) => Promise<T>): Promise<T> {
  const attempt = async (init?: RequestInit): Promise<T> => {
    const response = await fetchAsset(url, init);
    try {
      return await read(response);
    } catch (error) {
      throw error instanceof RangeError ? error : damagedAsset(url, errorText(error)); // a RangeError means no memory
    }
  };
  try {
    return await attempt();
  } catch {
    return attempt({ cache: 'no-cache' });
  }
}

/** Whether the browser can compute hashes: not on insecure origins. */
export const canHash = (): boolean => Boolean(globalThis.crypto?.subtle as SubtleCrypto | undefined);

/** @throws Error if the SHA-256 differs. Checks nothing where the browser cannot compute it. */
export async function checkHash(bytes: ArrayBuffer, sha256: string): Promise<void> {
  if (canHash() && (await sha256Of(bytes)) !== sha256) {
    throw new Error('its SHA-256 is not the one in manifest.json');
  }
}

/** Says that a file's CRC-32 is not the one in the manifest. */
export const OTHER_SUM = 'its checksum differs';

/** @throws Error if the CRC-32 differs. */
export function checkSum(bytes: Uint8Array, sum: number): void {
  if (crc32(bytes) !== sum) {
    throw new Error(OTHER_SUM);
  }
}

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/**
 * Imports one of the site's own modules. Errors say why that failed; browsers only say "failed to fetch".
 *
 * @param name - an export that the module must have.
 */
export async function importAsset(url: string, name?: string): Promise<unknown> {
  let module: Record<string, unknown>;
  try {
    module = await import(/* webpackIgnore: true */ /* @vite-ignore */ url);
  } catch (error) {
    const response = await fetchAsset(url, { cache: 'no-cache' }); // so that the next worker gets the server's file
    const wrongType = wrongModuleType(url, response);
    throw wrongType === null ? damagedAsset(url, String(error)) : new Error(`${url} cannot be imported: ${wrongType}`);
  }
  if (name !== undefined && !(name in module)) {
    throw damagedAsset(url, `it has no export ${name}`);
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

/** Why a script did not load, judged by the server's answer. */
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

/** The URL in the form that Pyodide expects. Outside of pages it reads files by path, not by file URL. */
export function pathOrURL(url: string): string {
  return isInstalled(url) ? decodeURIComponent(new URL(url).pathname).replace(/^\/(?=[A-Za-z]:)/, '') : url;
}
