/**
 * Loads what a start from the memory snapshot needs, once for all kernels of a page. An idle page does this ahead of need. Else the
 * first kernel's worker does it, since it has nothing else to do. Later the page keeps it for further visits.
 */
import { fetchAsset } from './assets';
import { loadBootAssets, type BootAssets, type FetchHints } from './boot_assets';
import { free } from './bytes';
import { keepContents } from './kept_contents';

const shared = new Map<string, Promise<BootAssets | null>>();

/** Ms after which a page keeps what it has unpacked. It has other work until then. */
const KEEP_MS = 5000;

function share(key: string, kernelURL: string, assets: Promise<BootAssets | null>): Promise<BootAssets | null> {
  shared.set(key, assets);
  assets.then(
    found => {
      if (found && typeof document !== 'undefined') {
        setTimeout(() => void keep(kernelURL, found), KEEP_MS);
      }
    },
    () => shared.delete(key),
  );
  return assets;
}

/** Keeps what the page has unpacked for later visits. Then further kernels read the memory from there, and the page frees it. */
async function keep(kernelURL: string, assets: BootAssets): Promise<void> {
  const { snapshot } = assets.manifest;
  try {
    if (
      assets.memory &&
      (await keepContents(kernelURL, {
        snapshot: snapshot!,
        memory: assets.memory,
        core: snapshot!.core,
      }))
    ) {
      free(assets.memory);
      assets.memory = null;
    }
    performance.mark('browsergrad:kept');
  } catch {
    performance.mark('browsergrad:not-kept'); // the next visit unpacks again
  }
}

/** Does `loadBootAssets` once for all kernels of the page. After a failure the next kernel tries again. */
export function sharedBootAssets(indexURL: string, kernelURL: string, hints?: FetchHints): Promise<BootAssets | null> {
  const key = `${indexURL} ${kernelURL}`;
  return shared.get(key) ?? share(key, kernelURL, loadBootAssets(indexURL, kernelURL, hints));
}

/**
 * Takes what a worker has loaded: the assets; null if the site has none; the error; undefined if the worker ended before.
 */
export type Supply = (assets: BootAssets | null | Error | undefined) => void;

/**
 * Lets further kernels wait for the assets that the caller's worker is about to load. Returns null if they are being loaded
 * already: then `sharedBootAssets` has them.
 */
export function offerBootAssets(indexURL: string, kernelURL: string, hints?: FetchHints): Supply | null {
  const key = `${indexURL} ${kernelURL}`;
  if (shared.has(key)) {
    return null;
  }
  let supply!: Supply;
  void share(
    key,
    kernelURL,
    new Promise((resolve, reject) => {
      let open = true;
      supply = assets => {
        if (assets === undefined) {
          if (open) {
            resolve(loadBootAssets(indexURL, kernelURL, hints));
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

const files = new Map<string, Promise<Blob>>();

/** Not by `Response.blob`: Chromium goes on with such a download when the page is left, and the next page waits for it. */
async function fetchFile(url: string): Promise<Blob> {
  return new Blob([await (await fetchAsset(url)).arrayBuffer()]);
}

/** Fetches a file once for all kernels of the page. The browser keeps its bytes outside of the page. */
export function sharedFile(url: string): Promise<Blob> {
  const file = files.get(url) ?? fetchFile(url);
  files.set(url, file);
  file.catch(() => files.delete(url)); // the next kernel tries again
  return file;
}
