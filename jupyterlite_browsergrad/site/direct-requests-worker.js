// Loaded first by the site's service worker: leaves the requests for Python's own files to the browser.
// JupyterLite's service worker would fetch them and hand them on. That takes time, and browsers keep what they have compiled of
// WebAssembly only for answers that come without this detour.
(() => {
  const FOLDERS = ['extensions/jupyterlite-browsergrad/static/', 'static/browsergrad/'];
  const addresses = FOLDERS.map(folder => self.registration.scope + folder);
  // With this setting, JupyterLite's service worker keeps a copy of all that it hands on.
  if (new URL(self.location.href).searchParams.get('enableCache') !== 'true') {
    self.addEventListener('fetch', event => {
      if (addresses.some(address => event.request.url.startsWith(address))) {
        event.stopImmediatePropagation();
      }
    });
  }
})();
