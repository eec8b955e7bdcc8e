/**
 * How much memory the device has, and what a kernel may take of it.
 */

/** The most that browsers say: devices with more say this too. */
const MOST_SAID_GB = 8;
/** MB for Python where the browser does not say how much memory a phone or tablet has. They end pages that take more. */
const HANDHELD_MB = 1024;
/** The least that Python can start with and run cells. */
const LEAST_MB = 128;

/** GB of memory as the browser says it; undefined if it does not. */
export function deviceGigabytes(): number | undefined {
  return (navigator as Navigator & { deviceMemory?: number }).deviceMemory;
}

/** Whether this is a phone or a tablet. For browsers that do not say how much memory the device has. */
export function isHandheld(): boolean {
  const { userAgent, maxTouchPoints } = navigator;
  // An iPad calls itself a Macintosh, but no Macintosh has a touch screen.
  return /Mobi|iPad|Android/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
}

/**
 * The MB that each Python may take; undefined for as much as WebAssembly allows, 4 GB. Beyond it, Python raises MemoryError, and the
 * kernel goes on. Without a limit the browser ends the whole page on a device with little memory.
 *
 * @param site - the site's setting; 0 for no limit.
 */
export function memoryLimit(site: unknown): number | undefined {
  if (site === 0) {
    return undefined;
  }
  if (typeof site === 'number' && site > 0) {
    return Math.max(site, LEAST_MB);
  }
  const device = deviceGigabytes();
  if (device === undefined) {
    return isHandheld() ? HANDHELD_MB : undefined;
  }
  return device < MOST_SAID_GB ? device * 512 : undefined;
}
