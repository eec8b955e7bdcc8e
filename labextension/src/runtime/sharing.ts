/**
 * Whether memory can be shared with workers.
 */

/**
 * True in isolated pages, and where there are no pages (Deno). But some browsers isolate a page and still have no shared memory:
 * WebKitGTK as it is shipped.
 */
export function canShare(): boolean {
  return typeof SharedArrayBuffer === 'function' && globalThis.crossOriginIsolated !== false;
}
