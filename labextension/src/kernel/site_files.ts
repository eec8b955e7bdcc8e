/**
 * The files from which the site's Python starts: where they are, and how the page asks for the first of them.
 */
import { PageConfig } from '@jupyterlab/coreutils';

import { addressOfVersion, fetchAsset, importAsset } from '../runtime/assets';
import type { FetchHints } from '../runtime/boot_assets';
import type { KernelClient, KernelClientOptions } from '../runtime/kernel_client';
import { isSlowLine } from './line_speed';

/** Versions of files, which their addresses name: the first digits of their SHA-256. The site's build writes them into its settings. */
export interface FileVersions {
  runtime?: string;
  worker?: string;
  manifest?: string;
  lock?: string;
}

/** Settings that say where the files are. */
export interface FileSettings {
  /** Folder of another Pyodide distribution, relative to the site's root. */
  pyodideIndexURL?: string;
  /** Folder of the packs for that distribution, relative to the site's root; `jupyter lite build` makes it. */
  kernelURL?: string;
  /** `jupyter lite build` writes them. */
  fileVersions?: FileVersions;
}

/** What the page uses of the runtime. */
export interface RuntimeModule {
  sharedBootAssets(indexURL: string, kernelURL: string, hints: FetchHints): Promise<unknown>;
  KernelClient: new (options: KernelClientOptions) => KernelClient;
}

/** Addresses whose fetch has begun in this page. */
const begun = new Set<string>();

/** Begins to fetch a file that a worker will ask for. If the fetch fails, the worker will report it. */
function begin(url: string): void {
  if (!begun.has(url)) {
    begun.add(url);
    void fetchAsset(url, { cache: 'force-cache' })
      .then(answer => answer.arrayBuffer()) // the browser keeps only what has been read
      .catch(() => undefined);
  }
}

export class SiteFiles {
  /** Address of Pyodide's folder. */
  readonly index: string;
  /** Address of the kernel's folder. */
  readonly kernel: string;
  private readonly versions: FileVersions;
  readonly workerURL: string;
  private readonly runtimeURL: string;

  constructor({ pyodideIndexURL, kernelURL, fileVersions = {} }: FileSettings, staticURL: string) {
    const folder = (set: string | undefined, own: string): string =>
      set ? new URL(set, PageConfig.getBaseUrl()).href : `${staticURL}${own}/`;
    this.index = folder(pyodideIndexURL, 'pyodide');
    this.kernel = folder(kernelURL, 'kernel');
    this.versions = fileVersions;
    this.runtimeURL = addressOfVersion(`${staticURL}runtime/index.js`, fileVersions.runtime);
    this.workerURL = addressOfVersion(`${staticURL}runtime/worker.js`, fileVersions.worker);
  }

  /** What the runtime should know before it fetches. */
  get hints(): FetchHints {
    return { manifest: this.versions.manifest, lock: this.versions.lock, isSlow: isSlowLine() };
  }

  /** Loads the runtime. */
  async runtime(): Promise<RuntimeModule> {
    return (await importAsset(this.runtimeURL)) as RuntimeModule;
  }

  /**
   * Begins to fetch what the first kernel asks for one after the other: its worker's script, and what that reads first. Only files of known
   * versions, since the browser would ask for others again.
   */
  beginFirst(): void {
    const { worker, manifest, lock } = this.versions;
    const files = [
      [this.workerURL, worker],
      [addressOfVersion(`${this.kernel}manifest.json`, manifest), manifest],
      [addressOfVersion(`${this.index}pyodide-lock.json`, lock), lock],
    ];
    for (const [url, version] of files) {
      if (url && version) {
        begin(url);
      }
    }
  }
}
