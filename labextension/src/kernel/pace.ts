/**
 * How fast the page takes output: no faster than it can show it, with time left for its user. Code that
 * prints without end would else keep the page too busy to notice a click on Stop.
 */

/** Ms a page without frames, one in the background, is given instead. */
const HIDDEN_MS = 100;
/** Ms up to which two frames count as no work. */
const LIGHT_MS = 50;
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

/** Settles when the page has shown what it was given, and has rested as long as that took. */
export async function shown(): Promise<void> {
  const begin = performance.now();
  await frame(); // the message is delivered
  await frame(); // and drawn
  const took = performance.now() - begin;
  if (took > LIGHT_MS) {
    await sleep(Math.min(took, LONGEST_REST_MS));
  }
}
