// Makes a page cross-origin isolated where its host sends no headers for that: the site's service worker
// adds them (isolating-worker.js), from the page's next load on. So the first visit loads once more.
(() => {
  const KEY = 'browsergrad-isolation';
  /** A second load this soon after the first (ms) that is not isolated either: it will never be. */
  const GIVE_UP_MS = 30_000;
  /** Longest wait for the service worker, ms: where it is blocked, some browsers never answer. */
  const REGISTER_MS = 5_000;
  const say = text => console.warn(`[browsergrad] The page is not cross-origin isolated: ${text}`);

  if (globalThis.crossOriginIsolated) {
    return;
  }
  if (!globalThis.isSecureContext || !navigator.serviceWorker) {
    say('service workers need https, localhost or 127.0.0.1, and a browser that allows them here.');
    return;
  }
  if (window.top !== window) {
    say('a frame is isolated only inside a page that is isolated itself.');
    return;
  }
  try {
    if (Date.now() - Number(sessionStorage.getItem(KEY)) < GIVE_UP_MS) {
      say('the headers that the service worker adds were not accepted.');
      return;
    }
    sessionStorage.setItem(KEY, String(Date.now()));
  } catch (error) {
    say(`the browser allows no storage here (${error}).`);
    return;
  }
  // Nothing else of this load is parsed, so that no application starts only to be thrown away.
  document.write('<plaintext hidden>');
  const worker = new URL('../../service-worker.js', document.currentScript.src).href;
  navigator.serviceWorker
    .register(worker)
    .then(() =>
      Promise.race([
        navigator.serviceWorker.ready,
        new Promise((_, reject) => setTimeout(reject, REGISTER_MS, `no answer in ${REGISTER_MS} ms`)),
      ]),
    )
    .catch(error => say(`${worker} could not be registered (${error}).`))
    .finally(() => location.reload());
})();
