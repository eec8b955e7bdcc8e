/**
 * Tells when the page has shown its output. Without this, code that prints without end would keep the page too busy to notice a
 * click on Stop.
 */

/** Ms to wait instead of a frame, since a page in the background draws none. */
const HIDDEN_MS = 100;
/** Ms a message needs to reach the notebook. */
const DELIVERY_MS = 5;
/** The page counts as idle if it is late by no more than this, in ms. */
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

/** Settles when the page has shown its output. If that took long, the page also gets a pause of the same length. */
export async function shown(): Promise<void> {
  const begin = performance.now();
  await sleep(DELIVERY_MS);
  if (performance.now() - begin > DELIVERY_MS + LIGHT_MS) {
    await frame();
    await sleep(Math.min(performance.now() - begin, MAX_PAUSE_MS));
  }
}
