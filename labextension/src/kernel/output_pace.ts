/**
 * Decides when the page has shown the output it was given. Without this pace, code that prints without end would keep
 * the page too busy to notice a click on Stop.
 */

/** Ms to wait instead of a frame: a page in the background draws none. */
const HIDDEN_MS = 100;
/** Ms a message needs to reach the notebook. */
const DELIVERY_MS = 5;
/** Ms of further delay up to which the page counts as idle. */
const LIGHT_MS = 15;
/** Longest pause, in ms, that a busy page gets. */
const MAX_PAUSE_MS = 1000;

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

/** Settles after the next frame has been drawn. */
function frame(): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      clearTimeout(timer);
      cancelAnimationFrame(handle);
      resolve();
    };
    const handle = requestAnimationFrame(() => setTimeout(done));
    const timer = setTimeout(done, HIDDEN_MS);
  });
}

/** Settles when the page has shown what it was given. A page that took long also gets a pause of the same length. */
export async function shown(): Promise<void> {
  const begin = performance.now();
  await sleep(DELIVERY_MS);
  if (performance.now() - begin > DELIVERY_MS + LIGHT_MS) {
    await frame();
    await sleep(Math.min(performance.now() - begin, MAX_PAUSE_MS));
  }
}
