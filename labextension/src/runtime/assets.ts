/**
 * Fetching what the site is made of, with errors that say what to do.
 */

/** Fetches `url`, saying what, where and how to mend it when that fails. */
export async function fetchAsset(url: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    throw new Error(`${url} could not be fetched (${String(error)}): is the site still being served?`);
  }
  if (!response.ok) {
    throw new Error(
      `${url} is missing from the site (HTTP ${response.status}): build the site again with ` +
        '`jupyter lite build` and publish the whole output folder',
    );
  }
  return response;
}

/** Imports the module at `url`, or says why that failed: browsers only say "failed to fetch". */
export async function importAsset(url: string): Promise<unknown> {
  try {
    return await import(/* webpackIgnore: true */ /* @vite-ignore */ url);
  } catch (error) {
    const response = await fetchAsset(url);
    const type = response.headers.get('content-type') ?? 'none';
    if (!/javascript|ecmascript/.test(type)) {
      throw new Error(
        `${url} is served with MIME type "${type}"; browsers load modules as text/javascript only. ` +
          'Tell the server that .js and .mjs files are text/javascript',
      );
    }
    throw new Error(`${url} could not be imported: ${String(error)}`);
  }
}

/** Outside of pages Pyodide reads files by their paths, and takes no file URL. */
export function pathOrURL(url: string): string {
  return url.startsWith('file:')
    ? decodeURIComponent(new URL(url).pathname).replace(/^\/(?=[A-Za-z]:)/, '')
    : url;
}
