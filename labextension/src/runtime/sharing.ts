/**
 * Whether memory can be shared with workers.
 */

/**
 * In isolated pages, and where there are no pages (Deno). Some browsers isolate a page and have no shared memory all the
 * same: WebKitGTK as it is shipped.
 */
export function canShare(): boolean {
  return typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false;
}
