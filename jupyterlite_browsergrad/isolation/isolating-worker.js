// Loaded first by the site's service worker: whatever that answers gets the headers of cross-origin isolation.
(() => {
  const HEADERS = {
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
  const NULL_BODY_STATUS = [101, 103, 204, 205, 304];

  function isolated(response) {
    // Another origin's answers stay as they are, and so do redirects: the browser follows those itself.
    if (response.type !== 'basic' && response.type !== 'default') {
      return response;
    }
    const headers = new Headers(response.headers);
    for (const [name, value] of Object.entries(HEADERS)) {
      headers.set(name, value);
    }
    const { status, statusText } = response;
    const body = NULL_BODY_STATUS.includes(status) ? null : response.body;
    return new Response(body, { status, statusText, headers });
  }

  // For offline-worker.js, whose answers do not pass this script if it was loaded first.
  self.browsergradIsolated = isolated;

  const addEventListener = self.addEventListener.bind(self);
  self.addEventListener = (type, listener, options) => {
    if (type !== 'fetch') {
      addEventListener(type, listener, options);
      return;
    }
    addEventListener(
      type,
      event => {
        const respondWith = event.respondWith.bind(event);
        let answered = false;
        event.respondWith = answer => {
          answered = true;
          respondWith(Promise.resolve(answer).then(isolated));
        };
        listener.call(self, event);
        // What the site's service worker leaves to the browser may still be a page or a worker.
        const { request } = event;
        if (!answered && request.method === 'GET' && new URL(request.url).origin === location.origin) {
          respondWith(fetch(request).then(isolated));
        }
      },
      options,
    );
  };
})();
