/**
 * Fetches the datasets of a lab, each once. They are verified by hash, kept in the browser's cache under their hash, and given to
 * Python as files.
 */
import { sha256Of } from '../runtime/bytes';
import type { KernelClient } from '../runtime/kernel_client';
import type { LabDataset } from '../runtime/manifest';
import { readAll, type OnProgress } from './files';
import { besideFile, type CheckedLab } from './gate';

/** Where Python's `bg.lab` and `bg.dataset` look for them. */
const HANDED = '/tmp/browsergrad/lab.json';
const FOLDER = '/tmp/browsergrad/datasets';
const CACHE = 'browsergrad-datasets';
/** Ms without a byte after which a download counts as failed. */
const STALL_MS = 60_000;

export interface DatasetProgress {
  name: string;
  loaded: number;
  /** Null if the server does not say. */
  total: number | null;
}

export type Loaded = { blob: Blob } | { error: string };

export interface DatasetEvents {
  onProgress?(progress: DatasetProgress): void;
  /** Called once for each download. `error` names the dataset. */
  onEnd?(name: string, error: string | null): void;
}

/** A source of files; `LabFiles` is one. */
interface Source {
  read(path: string, signal: AbortSignal, onProgress: OnProgress): Promise<Uint8Array | null>;
}

type Worker = Pick<KernelClient, 'write'>;

export class Datasets {
  /** Loads by lab and dataset, as long as the page is open. */
  private readonly loads = new Map<string, Promise<Loaded>>();
  /** What each worker has got. */
  private readonly handed = new WeakMap<Worker, string>();

  constructor(
    private readonly files: Source,
    /** Root of the site. */
    private readonly baseUrl: string,
    private readonly events: DatasetEvents = {},
  ) {}

  /** Returns all datasets of a lab, by name. */
  async load(lab: CheckedLab): Promise<Map<string, Loaded>> {
    const entries = lab.manifest.datasets.map(
      async dataset => [dataset.name, await this.loadOne(lab, dataset)] as const,
    );
    return new Map(await Promise.all(entries));
  }

  /** Tells the worker's Python its lab (null for none), and writes the datasets into its file system. */
  async hand(worker: Worker, lab: CheckedLab | null): Promise<void> {
    const key = lab ? JSON.stringify([lab.path, lab.manifest]) : '';
    if (key === (this.handed.get(worker) ?? '')) {
      return;
    }
    const told: Record<string, { path: string } | { error: string }> = {};
    let index = 0;
    for (const [name, loaded] of lab ? await this.load(lab) : []) {
      index++;
      if ('error' in loaded) {
        told[name] = { error: `${loaded.error}. Restart the kernel to try again.` };
        this.loads.delete(keyOf(lab!, name));
        continue;
      }
      const { url } = lab!.manifest.datasets[index - 1];
      const path = `${FOLDER}/${index}/${fileName(url)}`;
      await worker.write(path, new Uint8Array(await loaded.blob.arrayBuffer()));
      told[name] = { path };
    }
    const folder = lab ? `/drive/${lab.path.replace(/^[^:/]*:/, '')}`.replace(/\/[^/]*$/, '') : '';
    const handed = lab ? { manifest: lab.manifest, folder, datasets: told } : { manifest: null };
    await worker.write(HANDED, new TextEncoder().encode(JSON.stringify(handed)));
    this.handed.set(worker, key);
  }

  private loadOne(lab: CheckedLab, dataset: LabDataset): Promise<Loaded> {
    const key = keyOf(lab, dataset.name);
    let load = this.loads.get(key);
    if (!load) {
      load = this.fetchVerified(lab, dataset).catch((error: unknown) => ({
        error: error instanceof Error ? error.message : String(error),
      }));
      this.loads.set(key, load);
    }
    return load;
  }

  private async fetchVerified(lab: CheckedLab, dataset: LabDataset): Promise<Loaded> {
    const { name, hash } = dataset;
    const cached = hash ? await this.cached(hash) : null;
    if (cached) {
      return { blob: cached };
    }
    try {
      const bytes = await this.bytes(lab, dataset);
      if (hash) {
        const actual = await sha256(bytes);
        if (actual !== hash) {
          throw new Error(`it has ${actual}, the lab's manifest says ${hash}: it is not used`);
        }
      }
      const blob = new Blob([bytes as BlobPart]);
      if (hash) {
        await this.keep(hash, blob);
      }
      this.events.onEnd?.(name, null);
      return { blob };
    } catch (error) {
      this.events.onEnd?.(name, `Dataset ${name}: ${(error as Error).message}`);
      throw error;
    }
  }

  private async bytes(lab: CheckedLab, { name, url }: LabDataset): Promise<Uint8Array> {
    const abort = new AbortController();
    const stalled = new Promise<never>((_, reject) => {
      abort.signal.addEventListener('abort', () => reject(new Error(`${url}: no data came for ${STALL_MS / 1000} s`)));
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const progress: OnProgress = (loaded, total) => {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), STALL_MS);
      this.events.onProgress?.({ name, loaded, total });
    };
    progress(0, null);
    const load = /^https:/i.test(url)
      ? download(url, abort.signal, progress)
      : this.own(besideFile(lab.path, decodeURIComponent(url)), abort.signal, progress);
    try {
      return await Promise.race([stalled, load]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async own(path: string, signal: AbortSignal, progress: OnProgress): Promise<Uint8Array> {
    const bytes = await this.files.read(path, signal, progress);
    if (!bytes) {
      throw new Error(`there is no file ${path}`);
    }
    return bytes;
  }

  private request(hash: string): string {
    return new URL(`browsergrad-datasets/${hash.replace(':', '-')}`, this.baseUrl).href;
  }

  /** Reads from the cache, and verifies the hash again: any page of the site can write to the cache. */
  private async cached(hash: string): Promise<Blob | null> {
    try {
      const cache = await caches.open(CACHE);
      const blob = await (await cache.match(this.request(hash)))?.blob();
      if (!blob) {
        return null;
      }
      if ((await sha256(new Uint8Array(await blob.arrayBuffer()))) === hash) {
        return blob;
      }
      await cache.delete(this.request(hash));
    } catch {
      // Private windows may refuse storage. The dataset is then fetched each time.
    }
    return null;
  }

  private async keep(hash: string, blob: Blob): Promise<void> {
    try {
      await (await caches.open(CACHE)).put(this.request(hash), new Response(blob));
    } catch {
      // Storage is full or refused. The dataset is then fetched each time.
    }
  }
}

function keyOf(lab: CheckedLab, name: string): string {
  const dataset = lab.manifest.datasets.find(entry => entry.name === name);
  return JSON.stringify([lab.path, dataset]);
}

function fileName(url: string): string {
  const path = /^https:/i.test(url) ? new URL(url).pathname : url;
  const last = path.split('/').pop()!;
  try {
    return decodeURIComponent(last).replace(/[/\0]/g, '_') || 'data';
  } catch {
    return last || 'data';
  }
}

async function sha256(bytes: Uint8Array): Promise<string> {
  if (!globalThis.crypto?.subtle) {
    throw new Error('its hash cannot be verified, since the page was not served by https');
  }
  return `sha256:${await sha256Of(bytes)}`;
}

async function download(url: string, signal: AbortSignal, progress: OnProgress): Promise<Uint8Array> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: 'omit', referrerPolicy: 'no-referrer', signal });
  } catch (error) {
    // Browsers do not say why a request failed.
    throw new Error(
      `${url} could not be fetched (${(error as Error).message}): are you online, and does that site let pages of others read it (CORS)?`,
    );
  }
  if (!response.ok) {
    throw new Error(`${url} could not be fetched: the server answered ${response.status}`);
  }
  return readAll(response, progress);
}
