// Loaded by the site's service worker before its own code: answers pages from the offline copy, if the browser has a complete one.
//
// Pages fill the copy (labextension/src/offline). There is a cache for each version of the site, and one for the record of versions. A page gets
// all its files from the version with which it began, and so do its workers. It is that of the network if there was no copy then.
//
//   page begins         answered from                         its later requests
//   no complete copy    the network                           the network; the copy if the network fails
//   a complete copy     the newest complete version           the same version; the network for what is not in the list
(() => {
  const SCOPE = new URL(self.registration.scope);
  /** Name of the cache with the record. Those of versions have the version behind it. */
  const NAME = `browsergrad-offline ${SCOPE.pathname}`;
  const LIST = 'static/browsergrad/offline.json';
  /** Names of entries in the cache with the record. */
  const RECORD = 'static/browsergrad/offline-record';
  const PAGES = 'static/browsergrad/offline-pages';
  /** Header of requests that fill the copy. */
  const FILLS = 'x-browsergrad-offline';
  /** Ms for which a page is remembered that the browser does not list yet. */
  const NEW_MS = 60_000;
  /** Cache modes by which a page asks for a file again that it found damaged. */
  const AGAIN = ['no-cache', 'no-store', 'reload'];

  const addressOf = path => new URL(path.split('/').map(encodeURIComponent).join('/'), SCOPE).href;

  /** Reads a JSON file from a cache. @returns null if it is not there, or the browser refuses. */
  async function readJSON(path, cacheName) {
    try {
      return (await (await caches.match(addressOf(path), { cacheName }))?.json()) ?? null;
    } catch {
      return null;
    }
  }

  const readRecord = () => readJSON(RECORD, NAME);

  async function writeJSON(path, content) {
    await (await caches.open(NAME)).put(addressOf(path), new Response(JSON.stringify(content)));
  }

  /** Version -> promise of the files of its list by path; null if the version is not there. */
  const lists = new Map();

  function filesOf(version) {
    if (!lists.has(version)) {
      const files = readJSON(LIST, `${NAME} ${version}`).then(list => {
        if (!list) {
          lists.delete(version);
        }
        return list && new Map(list.files.map(file => [file.path, file]));
      });
      lists.set(version, files);
    }
    return lists.get(version);
  }

  /** Id of a page or worker -> its version (null for the network), and when it began. Kept in the cache, since service workers end at any time. */
  let clientsKnown = null;

  function knownClients() {
    clientsKnown ??= readJSON(PAGES, NAME).then(entries => new Map(entries ?? []));
    return clientsKnown;
  }

  async function remember(id, version) {
    const known = await knownClients();
    known.set(id, { version, began: Date.now() });
    if (version !== null) {
      await writeJSON(PAGES, [...known]).catch(() => undefined);
    }
  }

  /** The version that all pages have; null if they differ. For workers whose page the browser does not tell. */
  async function commonVersion(known) {
    const windows = await self.clients.matchAll({ includeUncontrolled: true, type: 'window' });
    const versions = new Set(windows.map(({ id }) => known.get(id)?.version ?? null));
    return versions.size === 1 ? [...versions][0] : null;
  }

  /** The version for a request of a page or worker that is there already. */
  async function versionOf({ clientId, resultingClientId }) {
    const known = await knownClients();
    let version = known.get(clientId)?.version;
    if (version === undefined) {
      const client = clientId ? await self.clients.get(clientId) : undefined;
      version = client?.type === 'window' ? null : await commonVersion(known);
    }
    if (resultingClientId && version !== null) {
      await remember(resultingClientId, version); // a worker belongs to the page that starts it
    }
    return version;
  }

  /** Path of the file at an address of the site; null for what the site's own service worker answers, and for other requests. */
  function pathOf({ method, url, headers }) {
    const { origin, pathname } = new URL(url);
    if (
      !['GET', 'HEAD'].includes(method) ||
      origin !== SCOPE.origin ||
      !pathname.startsWith(SCOPE.pathname) ||
      /\/api\/(?:drive|stdin\/|service-worker-heartbeat$)/.test(pathname) ||
      headers.has(FILLS)
    ) {
      return null;
    }
    try {
      return decodeURIComponent(pathname.slice(SCOPE.pathname.length));
    } catch {
      return null;
    }
  }

  /** The file for a path; a redirection to the address of a folder; null if the list has neither. */
  function find(files, path, { url }) {
    const file = files.get(path) ?? (path === '' || path.endsWith('/') ? files.get(`${path}index.html`) : undefined);
    if (file) {
      return file;
    }
    if (files.has(`${path}/index.html`)) {
      const target = new URL(url);
      target.pathname += '/';
      return Response.redirect(target.href, 301);
    }
    return null;
  }

  const hex = buffer => [...new Uint8Array(buffer)].map(byte => byte.toString(16).padStart(2, '0')).join('');

  async function isWhole(response, { sha256 }) {
    return hex(await crypto.subtle.digest('SHA-256', await response.arrayBuffer())) === sha256;
  }

  function failure(text) {
    return new Response(text, {
      status: 504,
      statusText: text,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
  }

  /** The part of a file that a request wants, as media players do. */
  async function part(response, range) {
    const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range) ?? [];
    if (from === undefined) {
      return response;
    }
    const blob = await response.blob();
    const end = Math.min(to ? Number(to) + 1 : blob.size, blob.size);
    const headers = new Headers(response.headers);
    if (Number(from) >= end) {
      headers.set('content-range', `bytes */${blob.size}`);
      return new Response(null, { status: 416, headers });
    }
    headers.set('content-range', `bytes ${from}-${end - 1}/${blob.size}`);
    headers.set('content-length', String(end - Number(from)));
    return new Response(blob.slice(Number(from), end), { status: 206, statusText: 'Partial Content', headers });
  }

  /** A file of a version that is complete; null if it is not there as it should be. */
  async function kept(version, file, request) {
    const response = await caches
      .match(addressOf(file.path), { cacheName: `${NAME} ${version}` })
      .catch(() => undefined);
    if (!response) {
      return null;
    }
    if (request.mode !== 'navigate' && AGAIN.includes(request.cache) && !(await isWhole(response.clone(), file))) {
      return null;
    }
    if (request.method === 'HEAD') {
      return new Response(null, { headers: response.headers });
    }
    const range = request.headers.get('range');
    return range ? part(response, range) : response;
  }

  /** Fetches a file that the copy has lost. It is answered and kept only if it is that of the copy's version. */
  async function repair(version, file) {
    let response;
    try {
      response = await fetch(addressOf(file.path), { cache: 'no-cache' });
    } catch {
      return failure(
        `${file.path} is missing from the offline copy of this site, and there is no network: connect and reload the page`,
      );
    }
    if (response.ok && (await isWhole(response.clone(), file).catch(() => false))) {
      const cache = await caches.open(`${NAME} ${version}`);
      const bytes = await response.arrayBuffer();
      const headers = new Headers(response.headers);
      headers.delete('content-encoding');
      headers.set('content-length', String(bytes.byteLength));
      await cache.put(addressOf(file.path), new Response(bytes, { headers })).catch(() => undefined);
      return new Response(bytes, { headers });
    }
    const record = await readRecord();
    if (!record) {
      return response; // the copy was removed while the page was open
    }
    if (record.current?.version === version) {
      await writeJSON(RECORD, { ...record, current: null }); // the next page comes from the network
    }
    return failure(
      `${file.path} is missing from the offline copy of this site, and the site has changed since: reload the page`,
    );
  }

  /** Answers a request that begins a page. */
  async function begin({ request, resultingClientId }, path, next) {
    const version = (await readRecord())?.current?.version ?? null;
    const files = version === null ? null : await filesOf(version);
    const found = files && find(files, path, request);
    if (found instanceof Response) {
      return found;
    }
    const response = found && (await kept(version, found, request));
    await remember(resultingClientId, response ? version : null);
    try {
      return response || (await next());
    } catch (error) {
      if (found) {
        return failure(
          `${found.path} is missing from the offline copy of this site, and there is no network: connect and reload the page`,
        );
      }
      throw error;
    }
  }

  /** Answers any other request of a page or worker. */
  async function answer(event, path, next) {
    const { request } = event;
    const version = await versionOf(event);
    const files = version === null ? null : await filesOf(version);
    if (!files) {
      return fromNetwork(request, path, next);
    }
    const found = find(files, path, request);
    if (found instanceof Response) {
      return found;
    }
    if (found) {
      return (await kept(version, found, request)) ?? repair(version, found);
    }
    return next().catch(() => failure(`${path} is not in the offline copy of this site, and there is no network`));
  }

  /** Answers a page that began without a copy. The copy serves only where the network fails. */
  async function fromNetwork(request, path, next) {
    try {
      return await next();
    } catch (error) {
      const version = (await readRecord())?.current?.version ?? null;
      const files = version === null ? null : await filesOf(version);
      const found = files && find(files, path, request);
      const response = found && !(found instanceof Response) ? await kept(version, found, request) : null;
      if (response) {
        return response;
      }
      throw error;
    }
  }

  /** Deletes versions that no page has and none will get, and forgets pages that are gone. */
  async function tidy() {
    const known = await knownClients();
    const open = await self.clients.matchAll({ includeUncontrolled: true, type: 'all' });
    const alive = new Set(open.map(({ id }) => id));
    for (const [id, { began }] of [...known]) {
      if (!alive.has(id) && Date.now() - began > NEW_MS) {
        known.delete(id);
      }
    }
    const record = await readRecord();
    const used = new Set([
      record?.current?.version,
      record?.filling,
      ...[...known.values()].map(({ version }) => version),
    ]);
    for (const name of await caches.keys()) {
      if (name.startsWith(`${NAME} `) && !used.has(name.slice(NAME.length + 1))) {
        lists.delete(name.slice(NAME.length + 1));
        await caches.delete(name);
      }
    }
  }

  /** What the site's own service worker answers; else what the network does. */
  function nextAnswer(listener, event) {
    let given = null;
    event.respondWith = answered => {
      given = Promise.resolve(answered);
    };
    listener.call(self, event);
    return given ?? fetch(event.request);
  }

  function onFetch(listener, event) {
    const path = pathOf(event.request);
    if (path === null) {
      listener.call(self, event);
      return;
    }
    const respondWith = event.respondWith.bind(event);
    const next = async () => nextAnswer(listener, event);
    const isPage = event.request.mode === 'navigate';
    const answered = (isPage ? begin : answer)(event, path, next);
    // The script that isolates pages may be loaded before or after this one.
    respondWith(answered.then(response => self.browsergradIsolated?.(response) ?? response));
    if (isPage) {
      event.waitUntil(answered.then(tidy).catch(() => undefined));
    }
  }

  const addEventListener = self.addEventListener.bind(self);
  self.addEventListener = (type, listener, options) =>
    addEventListener(type, type === 'fetch' ? event => onFetch(listener, event) : listener, options);
})();
