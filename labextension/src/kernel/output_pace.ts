/**
 * How fast the page takes output: no faster than it can show it, with time left for its user. Code that
 * prints without end would else keep the page too busy to notice a click on Stop.
 */

/** Ms a page without frames, one in the background, is given instead of one. */
const HIDDEN_MS = 100;
/** Ms a message needs to reach the notebook. */
const DELIVERY_MS = 5;
/** Ms beyond that up to which the page counts as idle. */
const LIGHT_MS = 15;
/** Most ms of rest at a time. */
const LONGEST_REST_MS = 1000;

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

/** Settles when the page has shown what it was given; where that is work, when it has rested as long. */
export async function shown(): Promise<void> {
  const begin = performance.now();
  await sleep(DELIVERY_MS);
  if (performance.now() - begin > DELIVERY_MS + LIGHT_MS) {
    await frame();
    await sleep(Math.min(performance.now() - begin, LONGEST_REST_MS));
  }
}
