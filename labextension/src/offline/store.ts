/**
 * Where offline copies are: one cache for each version of the site, and one for the record of versions. Pages write them; the service worker
 * (jupyterlite_browsergrad/offline/offline-worker.js) reads them, and deletes versions that no page uses. The names are the same there.
 */
import { parseList, type SiteList } from './list';

export const LIST = 'static/browsergrad/offline.json';
const RECORD = 'static/browsergrad/offline-record';

/** A version that is complete. */
export interface WholeVersion {
  version: string;
  /** In bytes. */
  size: number;
  /** When it became complete, in ms since 1970. */
  since: number;
}

export interface VersionRecord {
  /** What new pages get; null for the network. */
  current: WholeVersion | null;
  /** The version that is being filled, or was when the page closed. */
  filling: string | null;
}

export class OfflineStore {
  private readonly name: string;

  /** @param base - address of the site's root. */
  constructor(
    private readonly base: string,
    private readonly caches: CacheStorage,
  ) {
    this.name = nameOf(base);
  }

  /** Name of the lock of pages that fill the copy or remove it. */
  get lock(): string {
    return this.name;
  }

  addressOf(path: string): string {
    return new URL(path.split('/').map(encodeURIComponent).join('/'), this.base).href;
  }

  async read(): Promise<VersionRecord> {
    const response = await this.match(this.name, RECORD);
    return response ? ((await response.json()) as VersionRecord) : { current: null, filling: null };
  }

  async write(record: VersionRecord): Promise<void> {
    const cache = await this.caches.open(this.name);
    await cache.put(this.addressOf(RECORD), new Response(JSON.stringify(record)));
  }

  async listOf(version: string): Promise<SiteList | null> {
    const response = await this.match(this.nameOf(version), LIST);
    return response ? parseList(await response.text()) : null;
  }

  /** A file of a version. */
  file(version: string, path: string): Promise<Response | undefined> {
    return this.match(this.nameOf(version), path);
  }

  open(version: string): Promise<Cache> {
    return this.caches.open(this.nameOf(version));
  }

  /** Paths of the files that a version's cache has. */
  async paths(version: string): Promise<Set<string>> {
    const root = new URL(this.base).pathname.length;
    const requests = await (await this.open(version)).keys();
    return new Set(requests.map(({ url }) => decodeURIComponent(new URL(url).pathname.slice(root))));
  }

  async drop(version: string): Promise<void> {
    await this.caches.delete(this.nameOf(version));
  }

  /** Removes everything. @returns whether there was something. */
  async remove(): Promise<boolean> {
    const names = (await this.caches.keys()).filter(name => name === this.name || name.startsWith(`${this.name} `));
    await Promise.all(names.map(name => this.caches.delete(name)));
    return names.length > 0;
  }

  private nameOf(version: string): string {
    return `${this.name} ${version}`;
  }

  private match(cacheName: string, path: string): Promise<Response | undefined> {
    return this.caches.match(this.addressOf(path), { cacheName });
  }
}

/** Tells whether there is anything of an offline copy of the site at `base`. */
export async function hasCopy(base: string): Promise<boolean> {
  try {
    return await globalThis.caches.has(nameOf(base));
  } catch {
    return false; // no storage, or an insecure origin
  }
}

const nameOf = (base: string): string => `browsergrad-offline ${new URL(base).pathname}`;
