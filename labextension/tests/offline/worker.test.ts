/** The script that the site's service worker loads, in a service worker of this test. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';

import { MemoryCaches } from './memory_caches';
import { BASE, LIST, listText, NAME, Server, type Files } from './site';

const PACKAGE = join(__dirname, '../../../jupyterlite_browsergrad');
const OFFLINE = readFileSync(join(PACKAGE, 'offline/offline-worker.js'), 'utf-8');
const ISOLATING = readFileSync(join(PACKAGE, 'isolation/isolating-worker.js'), 'utf-8');

const FIRST = { 'lab/index.html': 'page 1', 'build/worker.js': 'worker 1', 'files/a b.txt': '0123456789' };
const SECOND = { 'lab/index.html': 'page 2', 'build/worker.js': 'worker 2', 'files/a b.txt': '0123456789' };

type Listener = (event: unknown) => void;

interface Asked {
  mode?: string;
  method?: string;
  cache?: string;
  headers?: Record<string, string>;
  client?: string;
  /** Id of the page or worker that begins with this request. */
  begins?: string;
}

/** A service worker with JupyterLite's handler behind our scripts. */
class ServiceWorker {
  readonly server = new Server('v1', FIRST);
  open: { id: string; type: string }[] = [];
  /** Paths that JupyterLite's own service worker was asked for. */
  readonly left: string[] = [];
  private listeners: Listener[] = [];

  constructor(
    readonly caches: MemoryCaches,
    private readonly scripts: string[] = [OFFLINE],
  ) {
    this.start();
  }

  /** Starts it, as browsers do again and again. */
  start(): void {
    this.listeners = [];
    const self = {
      registration: { scope: BASE },
      location: new URL(`${BASE}service-worker.js`),
      addEventListener: (_: string, listener: Listener) => this.listeners.push(listener),
      clients: {
        matchAll: async ({ type }: { type: string }) => this.open.filter(one => type === 'all' || one.type === type),
        get: async (id: string) => this.open.find(one => one.id === id),
      },
    };
    const fetch = (request: { url?: string } | string, init?: RequestInit): Promise<Response> =>
      this.server.fetch(typeof request === 'string' ? request : request.url, init);
    for (const script of this.scripts) {
      new Function('self', 'location', 'caches', 'fetch', 'crypto', script)(
        self,
        self.location,
        this.caches,
        fetch,
        crypto,
      );
    }
    self.addEventListener('fetch', (event => {
      const { request, respondWith } = event as { request: Request; respondWith(answer: unknown): void };
      const path = request.url.slice(BASE.length);
      this.left.push(path);
      if (!path.includes('api/contents')) {
        respondWith.call(event, fetch(request));
      }
    }) as Listener);
  }

  /** @returns null if the browser has to ask the network itself. */
  async ask(path: string, asked: Asked = {}): Promise<Response | null> {
    const { mode = 'no-cors', method = 'GET', cache = 'default', headers = {}, client = '', begins = '' } = asked;
    const request = { url: new URL(path, BASE).href, mode, method, cache, headers: new Headers(headers) };
    let answer: Promise<Response> | null = null;
    const waits: Promise<unknown>[] = [];
    const event = {
      request,
      clientId: client,
      resultingClientId: begins,
      respondWith: (given: Promise<Response>) => {
        answer ??= Promise.resolve(given);
      },
      waitUntil: (wait: Promise<unknown>) => waits.push(wait),
    };
    for (const listener of this.listeners) {
      if (!answer) {
        listener.call(null, event);
      }
    }
    const response = await answer;
    await Promise.all(waits);
    return response;
  }

  async text(path: string, asked: Asked = {}): Promise<string> {
    return (await this.ask(path, asked))!.text();
  }

  /** Opens a page. @returns its text */
  async visit(id: string): Promise<string> {
    this.open.push({ id, type: 'window' });
    return this.text('lab/index.html?reset', { mode: 'navigate', begins: id });
  }
}

async function store(caches: MemoryCaches, version: string, files: Files): Promise<void> {
  const cache = await caches.open(`${NAME} ${version}`);
  await cache.put(`${BASE}${LIST}`, new Response(listText(version, files)));
  for (const [path, text] of Object.entries(files)) {
    await cache.put(
      new URL(encodeURI(path), BASE).href,
      new Response(text, { headers: { 'content-length': `${text.length}` } }),
    );
  }
  const record = { current: { version, size: 1, since: 1 }, filling: null };
  await (await caches.open(NAME)).put(`${BASE}static/browsergrad/offline-record`, new Response(JSON.stringify(record)));
}

let caches: MemoryCaches;
let worker: ServiceWorker;

beforeEach(() => {
  caches = new MemoryCaches();
  worker = new ServiceWorker(caches);
});

describe('without a whole copy', () => {
  it('everything comes as without this script', async () => {
    expect(await worker.visit('p')).toBe('page 1');
    expect(await worker.text('build/worker.js', { client: 'p' })).toBe('worker 1');
    expect(worker.left).toEqual(['lab/index.html?reset', 'build/worker.js']);
  });

  it('a page stays with the network when the copy becomes whole, and gets the copy if the network fails', async () => {
    await worker.visit('p');
    await store(caches, 'v2', SECOND);
    expect(await worker.text('build/worker.js', { client: 'p' })).toBe('worker 1');
    worker.server.isReached = false;
    expect(await worker.text('build/worker.js', { client: 'p' })).toBe('worker 2');
  });
});

describe('with a whole copy', () => {
  beforeEach(() => store(caches, 'v1', FIRST));

  it('pages ask the network for nothing', async () => {
    expect(await worker.visit('p')).toBe('page 1');
    expect(await worker.text('files/a%20b.txt?download', { client: 'p' })).toBe('0123456789');
    expect(worker.server.asked).toEqual([]);
  });

  it('a page keeps its version while others get a new one, also when the service worker has ended in between', async () => {
    await worker.visit('old');
    await store(caches, 'v2', SECOND);
    worker.start();
    expect(await worker.visit('new')).toBe('page 2');
    worker.start();
    expect(await worker.text('build/worker.js', { client: 'old', begins: 'old-worker' })).toBe('worker 1');
    expect(await worker.text('build/worker.js', { client: 'new', begins: 'new-worker' })).toBe('worker 2');
    expect(await worker.text('build/worker.js', { client: 'old-worker' })).toBe('worker 1');
    expect([...caches.all.keys()]).toContain(`${NAME} v1`);
  });

  it('a version is deleted when no page has it', async () => {
    await worker.visit('old');
    await store(caches, 'v2', SECOND);
    const entry = caches.all.get(NAME)!;
    entry.delete(`${BASE}static/browsergrad/offline-pages`);
    worker.start();
    worker.open = [];
    await worker.visit('new');
    expect([...caches.all.keys()]).toEqual([NAME, `${NAME} v2`]);
  });

  it.each([
    ['', 'https://a.example/course/lab/', 'lab'],
    ['?path=x', 'https://a.example/course/lab/?path=x', 'lab?path=x'],
  ])('the address of a folder with %s leads to its page', async (_, target, path) => {
    const response = await worker.ask(path, { mode: 'navigate', begins: 'p' });
    expect([response!.status, response!.headers.get('location')]).toEqual([301, target]);
    expect(await worker.text('lab/?path=x', { mode: 'navigate', begins: 'p' })).toBe('page 1');
  });

  it.each(['api/drive', 'api/stdin/kernel', 'files/../api/drive'])('%s is left to JupyterLite', async path => {
    await worker.visit('p');
    await worker.ask(path, { client: 'p', method: 'POST' });
    await worker.ask(path, { client: 'p' });
    expect(worker.left).toHaveLength(2);
  });

  it('requests that fill the copy reach the network', async () => {
    await worker.visit('p');
    await worker.ask('build/worker.js', { client: 'p', headers: { 'x-browsergrad-offline': '1' } });
    expect(worker.server.asked).toEqual(['build/worker.js again']);
  });

  it('what the list does not name comes from the network, or is a clear error', async () => {
    await worker.visit('p');
    expect((await worker.ask('api/contents/all.json', { client: 'p' }))!.status).toBe(404);
    worker.server.isReached = false;
    const response = await worker.ask('build/none.js', { client: 'p' });
    expect(response!.status).toBe(504);
    expect(await response!.text()).toContain('build/none.js is not in the offline copy');
  });

  it('answers HEAD and parts of files', async () => {
    await worker.visit('p');
    const head = await worker.ask('files/a%20b.txt', { client: 'p', method: 'HEAD' });
    expect([head!.headers.get('content-length'), await head!.text()]).toEqual(['10', '']);
    const part = await worker.ask('files/a%20b.txt', { client: 'p', headers: { range: 'bytes=2-4' } });
    expect([part!.status, part!.headers.get('content-range'), await part!.text()]).toEqual([
      206,
      'bytes 2-4/10',
      '234',
    ]);
    const beyond = await worker.ask('files/a%20b.txt', { client: 'p', headers: { range: 'bytes=20-' } });
    expect(beyond!.status).toBe(416);
  });
});

describe('a damaged copy', () => {
  beforeEach(async () => {
    await store(caches, 'v1', FIRST);
    await worker.visit('p');
    caches.all.get(`${NAME} v1`)!.delete(`${BASE}build/worker.js`);
  });

  it('is mended from the network', async () => {
    expect(await worker.text('build/worker.js', { client: 'p' })).toBe('worker 1');
    worker.server.isReached = false;
    expect(await worker.text('build/worker.js', { client: 'p' })).toBe('worker 1');
  });

  it('never mixes versions: the error says to reload, and the next page comes from the network', async () => {
    worker.server.files = SECOND;
    const response = await worker.ask('build/worker.js', { client: 'p' });
    expect([response!.status, await response!.text()]).toEqual([504, expect.stringContaining('reload the page')]);
    expect(await worker.visit('q')).toBe('page 2');
    expect(await worker.text('build/worker.js', { client: 'q' })).toBe('worker 2');
  });

  it('says so without a network', async () => {
    worker.server.isReached = false;
    expect(await worker.text('build/worker.js', { client: 'p' })).toContain('there is no network');
  });

  it('is found when a page asks again for a file that it could not use', async () => {
    const cache = await caches.open(`${NAME} v1`);
    await cache.put(`${BASE}build/worker.js`, new Response('damaged'));
    expect(await worker.text('build/worker.js', { client: 'p' })).toBe('damaged');
    expect(await worker.text('build/worker.js', { client: 'p', cache: 'no-cache' })).toBe('worker 1');
    expect(await worker.text('build/worker.js', { client: 'p' })).toBe('worker 1');
  });

  it('begins a page from the network if its first file is missing', async () => {
    caches.all.get(`${NAME} v1`)!.delete(`${BASE}lab/index.html`);
    worker.server.files = SECOND;
    expect(await worker.visit('q')).toBe('page 2');
    expect(await worker.text('build/worker.js', { client: 'q' })).toBe('worker 2');
  });

  it('leaves all to the network once it was removed', async () => {
    await Promise.all([...caches.all.keys()].map(caches.delete));
    worker.server.files = SECOND;
    expect(await worker.text('build/worker.js', { client: 'p' })).toBe('worker 2');
  });
});

describe.each([
  ['before', [ISOLATING, OFFLINE]],
  ['after', [OFFLINE, ISOLATING]],
])('with the script that isolates pages loaded %s it', (_, scripts) => {
  beforeEach(() => {
    worker = new ServiceWorker(caches, scripts);
  });

  it('pages are isolated from the network and from the copy', async () => {
    for (const id of ['network', 'copy']) {
      worker.open.push({ id, type: 'window' });
      const page = await worker.ask('lab/index.html', { mode: 'navigate', begins: id });
      expect(page!.headers.get('cross-origin-embedder-policy')).toBe('require-corp');
      await store(caches, 'v1', FIRST);
    }
    expect(worker.server.asked).toHaveLength(1);
  });

  it('requests for the drive are left to JupyterLite', async () => {
    await store(caches, 'v1', FIRST);
    await worker.visit('p');
    await worker.ask('api/drive', { client: 'p', method: 'POST' });
    expect(worker.left).toEqual(['api/drive']);
  });
});
