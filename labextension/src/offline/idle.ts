/** When a page has time to fetch files that it does not need now. */

/** Longest wait for a kernel, in ms: then the page is one in which nobody runs Python. */
const NO_KERNEL_MS = 10_000;
/** Longest wait for an idle moment, in ms, so that a page that is always busy gets its copy too. */
const BUSY_MS = 2_000;

let answered!: () => void;
const firstKernel = new Promise<void>(resolve => {
  answered = resolve;
});

/** A kernel has started: the page has what it needs most. */
export function kernelAnswered(): void {
  answered();
}

/** Resolves when a kernel has started, or when it seems that nobody wants one. */
export function afterFirstKernel(): Promise<void> {
  return Promise.race([firstKernel, new Promise<void>(resolve => setTimeout(resolve, NO_KERNEL_MS))]);
}

/** Resolves in a moment in which the page has nothing to do. */
export function idleMoment(): Promise<void> {
  return new Promise(resolve => {
    if (document.hidden) {
      resolve(); // nobody looks at it, and browsers hold up its timers
    } else if ('requestIdleCallback' in globalThis) {
      requestIdleCallback(() => resolve(), { timeout: BUSY_MS });
    } else {
      setTimeout(resolve); // Safari
    }
  });
}
