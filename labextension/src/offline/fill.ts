/**
 * Fills an offline copy of the site: whole or not at all. What is there when the page closes is used by the next one.
 */
import { sha256Of } from '../runtime/bytes';
import { plan, parseList, sizeOf, type Plan, type SiteFile, type SiteList } from './list';
import { LIST, type OfflineStore, type WholeVersion } from './store';

/** The service worker lets requests with this header pass, so that they are not answered from an older copy. */
const FILLS = { 'x-browsergrad-offline': '1' };
/** Files that are fetched at the same time. Pages ask for theirs meanwhile. */
const AT_ONCE = 3;
/** Files that are copied between two idle moments. Most are small. */
const COPIED_AT_ONCE = 10;
/** Headers that decide what a page may do. They are those of the list, since hosts change them without changing a file. */
const POLICY = ['cross-origin-opener-policy', 'cross-origin-embedder-policy', 'cross-origin-resource-policy'];
/** Headers that do not describe a stored file. */
const TRANSFER = ['content-encoding', 'transfer-encoding', 'content-range', 'set-cookie'];

/**
 * Why there is no copy, or not the newest one. `changed`: the server has a file that is not the one in the list. `full`: the browser's
 * storage has no room. `network`: a file could not be fetched. `refused`: the browser lets the site store nothing.
 */
export type FillCode = 'changed' | 'full' | 'network' | 'refused';

export class FillError extends Error {
  constructor(
    readonly code: FillCode,
    message: string,
  ) {
    super(message);
  }
}

export interface FillOptions {
  store: OfflineStore;
  fetch: typeof fetch;
  /** Waits until the page has nothing else to do. */
  idle(): Promise<void>;
  /** Bytes that the site may still store; null if the browser does not say. */
  room(): Promise<number | null>;
  /** Whether the service worker adds the headers that isolate pages; then the copy has none of them. */
  isIsolating: boolean;
  signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

export interface Filled {
  whole: WholeVersion | null;
  /** Whether it takes the place of an older version. */
  isUpdate: boolean;
}

/** Names and values of headers. */
type Pairs = [name: string, value: string][];

/**
 * Makes the copy that of the site's present version.
 *
 * @throws FillError; whatever copy was complete before still is.
 */
export async function fill(options: FillOptions): Promise<Filled> {
  const { store, isIsolating } = options;
  const { current } = await stored(() => store.read());
  const response = await get(options, LIST, 'no-cache');
  if (response.status === 404 || response.status === 410) {
    await store.remove(); // the site is published without this setting now
    return { whole: null, isUpdate: false };
  }
  const text = response.ok ? await response.text() : '';
  const list = parseList(text);
  if (!list) {
    throw new FillError('network', `${LIST} is not a list (HTTP ${response.status})`);
  }
  const policy: Pairs = isIsolating ? [] : [...response.headers].filter(([name]) => POLICY.includes(name));
  const version = policy.length ? `${list.version}-${await shortHash(JSON.stringify(policy))}` : list.version;
  await stored(() => store.write({ current, filling: version }));
  const copy = new Copy(options, list, version, policy);
  await copy.complete(current && current.version !== version ? current.version : null, text);
  if (current?.version === version) {
    await stored(() => store.write({ current, filling: null }));
    return { whole: current, isUpdate: false };
  }
  const whole = { version, size: sizeOf(list.files), since: Date.now() };
  await stored(() => store.write({ current: whole, filling: null }));
  return { whole, isUpdate: current !== null };
}

class Copy {
  private cache!: Cache;
  private done = 0;

  constructor(
    private readonly options: FillOptions,
    private readonly list: SiteList,
    private readonly version: string,
    private readonly policy: Pairs,
  ) {}

  /** @param older - a whole version from which files with the same hash are taken. */
  async complete(older: string | null, text: string): Promise<void> {
    const { store, room, onProgress } = this.options;
    const { files } = this.list;
    const there = await stored(() => store.paths(this.version));
    const { copied, fetched } = plan(this.list, there, older === null ? null : await store.listOf(older));
    const missing = sizeOf([...fetched, ...copied.map(({ file }) => file)]);
    const free = await room();
    if (free !== null && free < 2 * missing) {
      await this.giveBack();
      throw new FillError('full', `${missing} bytes are missing, and there is room for ${free}`);
    }
    this.cache = await stored(() => store.open(this.version));
    this.done = sizeOf(files) - missing;
    onProgress(this.done, sizeOf(files));
    try {
      await stored(() => this.cache.put(store.addressOf(LIST), new Response(text)));
      await this.fetchAll([...(await this.copyAll(older, copied)), ...fetched]);
    } catch (error) {
      if (error instanceof FillError && error.code === 'full') {
        await this.giveBack();
      }
      throw error;
    }
  }

  /** Copies files from an older version. @returns those that it does not have after all. */
  private async copyAll(older: string | null, copied: Plan['copied']): Promise<SiteFile[]> {
    const lost: SiteFile[] = [];
    const copyOne = async ({ file, from }: Plan['copied'][number]): Promise<void> => {
      const response = await this.options.store.file(older!, from);
      const bytes = await response?.arrayBuffer();
      if (response && bytes && (await sha256Of(bytes)) === file.sha256) {
        await this.put(file, bytes, response.headers);
      } else {
        lost.push(file);
      }
    };
    for (let at = 0; at < copied.length; at += COPIED_AT_ONCE) {
      await this.pause();
      await Promise.all(copied.slice(at, at + COPIED_AT_ONCE).map(copyOne));
    }
    return lost;
  }

  private async fetchAll(files: readonly SiteFile[]): Promise<void> {
    const left = files.values();
    const work = async (): Promise<void> => {
      for (const file of left) {
        await this.pause();
        const [bytes, headers] = await this.fetchFile(file);
        await this.put(file, bytes, headers);
      }
    };
    const results = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
    for (const result of results) {
      if (result.status === 'rejected') {
        throw result.reason;
      }
    }
  }

  /** The browser's own cache may have the file. If it has another one, the server is asked. */
  private async fetchFile({ path, sha256 }: SiteFile): Promise<[ArrayBuffer, Headers]> {
    let status = 0;
    for (const mode of ['force-cache', 'no-cache'] as const) {
      const response = await get(this.options, path, mode);
      ({ status } = response);
      const bytes = await received(path, () => response.arrayBuffer());
      if (response.ok && (await sha256Of(bytes)) === sha256) {
        return [bytes, response.headers];
      }
    }
    const is = status === 200 ? 'is another file than the list says' : `is missing (HTTP ${status})`;
    throw new FillError('changed', `${path} ${is}`);
  }

  private async put(file: SiteFile, bytes: ArrayBuffer, given: Headers): Promise<void> {
    const headers = new Headers(given);
    [...TRANSFER, ...POLICY].forEach(name => headers.delete(name));
    headers.set('content-length', String(file.size));
    this.policy.forEach(([name, value]) => headers.set(name, value));
    const { store, onProgress } = this.options;
    await stored(() => this.cache.put(store.addressOf(file.path), new Response(bytes, { headers })));
    this.done += file.size;
    onProgress(this.done, sizeOf(this.list.files));
  }

  private async pause(): Promise<void> {
    this.options.signal.throwIfAborted();
    await this.options.idle();
    this.options.signal.throwIfAborted();
  }

  /** Gives the room of what was fetched back: students' work needs it more. A whole version stays. */
  private async giveBack(): Promise<void> {
    const { store } = this.options;
    try {
      const { current } = await store.read();
      if (current?.version !== this.version) {
        await store.drop(this.version);
      }
      await store.write({ current, filling: null });
    } catch {
      // The reason why there is no copy is told anyway.
    }
  }
}

async function get({ fetch, store, signal }: FillOptions, path: string, cache: RequestCache): Promise<Response> {
  return received(path, () => fetch(store.addressOf(path), { cache, signal, headers: FILLS, priority: 'low' }));
}

async function received<T>(path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw (error as Error).name === 'AbortError' ? error : new FillError('network', `${path}: ${String(error)}`);
  }
}

/** Runs something that needs the browser's storage. */
async function stored<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const { name, message } = error as Error;
    throw new FillError(name === 'QuotaExceededError' ? 'full' : 'refused', message || name);
  }
}

async function shortHash(text: string): Promise<string> {
  return (await sha256Of(new TextEncoder().encode(text).buffer as ArrayBuffer)).slice(0, 8);
}
