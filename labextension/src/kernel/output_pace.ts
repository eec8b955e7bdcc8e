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
/** One of so many waits lasts until the notebook has its messages; after a long wait, the next one does. */
const QUICK_WAITS = 4;
/** Bytes up to which a message counts as short, with what it costs the page beside its length. */
const SHORT_BYTES = 4000;
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

/** Settles after all messages that have come before. Unlike a timer, this has no least length. */
function turn(): Promise<void> {
  return new Promise(resolve => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}

/**
 * Returns a function that settles when the page has shown its output. If that took long, the page also gets a pause of the same
 * length. While the page keeps up with short messages, most waits are shorter than a message needs to reach the notebook. Long texts
 * take their time later, when the notebook lays them out.
 */
export function outputPace(): (averageBytes: number) => Promise<void> {
  let waits = 0;
  return async averageBytes => {
    const begin = performance.now();
    const delivery = waits++ % QUICK_WAITS && averageBytes < SHORT_BYTES ? 0 : DELIVERY_MS;
    await (delivery ? sleep(delivery) : turn());
    if (performance.now() - begin > delivery + LIGHT_MS) {
      waits = 0;
      await frame();
      await sleep(Math.min(performance.now() - begin, MAX_PAUSE_MS));
    }
  };
}
