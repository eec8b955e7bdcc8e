/**
 * Loads packages that the site has as packs, which `jupyterlite_browsergrad/site/packing.py` makes from wheels: nothing is
 * unpacked by Python, and compiled modules are linked only when they are imported.
 */
import type { PackedFile } from '../packed';
import type { AbortableLoads } from './abortable_loads';
import type { DeferredAssets } from './deferred_assets';
import { mountDivided, mountForNow } from './divided_pack';
import { FETCHES_NOW, LazyAsset } from './lazy_assets';
import { inOrder, type LockedPackage } from './load_order';
import { Pack } from './pack';
import type { LoadOptions, Post, Pyodide, PyProxy } from './pyodide';
import { WebAssemblyLibraries } from './wasm_libraries';

/** The field that our build adds to a package's entry in the lock. Addresses are relative to the lock. */
export interface Packs {
  /** What an import reads. */
  now: PackedFile;
  /** What is read seldom: sources, above all. */
  later: PackedFile;
}

/** The value of packages that were loaded from the lock in `pyodide.loadedPackages`. */
export const LOADED = 'default channel';

type PackedPackage = LockedPackage & { packs: Packs };

/** A package that Python does not see yet. */
interface Fetched {
  pack: Pack;
  later: LazyAsset;
}

/** A package that is being fetched, or has been fetched ahead of its import. */
interface Fetch {
  done: Promise<Fetched>;
  result: Fetched | null;
}

/** Whether a file is a module that is linked into Python. */
const isLibrary = (path: string): boolean => /\.so(\.\d+)*$/.test(path);

const hasPacks = (entry: LockedPackage): entry is PackedPackage => 'packs' in entry;

/** What Pyodide's `loadPackage` returns for a package. */
export function describe({ name, version = '', file_name: fileName }: LockedPackage): object {
  return { name, version, fileName, packageType: 'package' };
}

export class PackedPackages {
  private readonly libraries: WebAssemblyLibraries;
  /** Packages that are being loaded, by name. */
  private readonly running = new Map<string, Promise<void>>();
  /** Packages that are on their way or lie ready, by name. */
  private readonly fetches = new Map<string, Fetch>();

  /**
   * @param indexURL - address of the distribution.
   * @param locked - the packages of its lock.
   */
  constructor(
    private readonly pyodide: Pyodide,
    private readonly indexURL: string,
    private readonly locked: Record<string, LockedPackage>,
    /** The folder of Python's packages. */
    private readonly sitePackages: string,
    private readonly deferred: DeferredAssets,
    private readonly loads: AbortableLoads,
    private readonly post: Post,
  ) {
    this.libraries = new WebAssemblyLibraries(pyodide);
  }

  /** What has to be loaded for `names`, each after its dependencies. */
  needed(names: Iterable<string>): LockedPackage[] {
    const found = new Map<string, LockedPackage>();
    for (const name of names) {
      for (const entry of inOrder(name, this.locked, this.pyodide.loadedPackages)) {
        found.set(entry.name, entry);
      }
    }
    return [...found.values()];
  }

  /**
   * Loads those of the needed packages that have packs. Reports what becomes of each, in Pyodide's words.
   *
   * @returns the packages that were loaded.
   */
  async load(needed: LockedPackage[], { messageCallback }: LoadOptions): Promise<LockedPackage[]> {
    const packed = needed.filter(hasPacks);
    if (!packed.length) {
      return [];
    }
    messageCallback?.(`Loading ${packed.map(entry => entry.name).join(', ')}`);
    const loading = packed.map(async entry => {
      let running = this.running.get(entry.name);
      if (!running) {
        running = this.install(entry).finally(() => this.running.delete(entry.name));
        this.running.set(entry.name, running);
      }
      await running;
      messageCallback?.(`Loaded ${entry.name}`);
    });
    const results = await Promise.allSettled(loading);
    this.lookAgain();
    const failed = results.find(result => result.status === 'rejected');
    if (failed) {
      throw failed.reason;
    }
    return packed;
  }

  /**
   * Fetches and compiles those of the needed packages that have packs. Python sees nothing of it, and its requests do not wait.
   *
   * @returns the names of the packages that lie ready.
   */
  async layReady(needed: LockedPackage[]): Promise<string[]> {
    const packed = needed.filter(hasPacks).filter(entry => !this.running.has(entry.name));
    await Promise.all(packed.map(entry => this.fetched(entry)));
    return packed.map(entry => entry.name);
  }

  /** Whether there are packages, and all of them have packs. */
  has(needed: LockedPackage[]): boolean {
    return needed.length > 0 && needed.every(hasPacks);
  }

  /** Calls `use` while Python has the files of these packages, which all have packs. `use` has to look for them itself. */
  async whileMounted(needed: LockedPackage[], use: () => void): Promise<void> {
    const fetched = await Promise.all(needed.filter(hasPacks).map(entry => this.fetched(entry)));
    const { FS } = this.pyodide;
    const unmounts = fetched.map(({ pack, later }) => mountForNow(FS, pack, later, path => this.place(path)));
    try {
      use();
    } finally {
      unmounts.reverse().forEach(unmount => unmount());
    }
  }

  /** Loads a package while Python waits. @returns false if it has no packs. */
  loadNow(name: string): boolean {
    const entry = this.locked[name];
    if (!entry || !hasPacks(entry)) {
      return false;
    }
    const { now, later } = entry.packs;
    const ready = this.fetches.get(name)?.result;
    this.mount(ready?.pack ?? new Pack(this.asset(now).get()), ready?.later ?? this.asset(later));
    this.fetches.delete(name);
    return true;
  }

  private async install(entry: PackedPackage): Promise<void> {
    const { pack, later } = await this.loads.orAbort(this.fetched(entry));
    this.mount(pack, later);
    this.fetches.delete(entry.name);
    this.pyodide.loadedPackages[entry.name] = LOADED;
  }

  /** Fetches a package, unless that has begun. After a failure it may be tried again. */
  private fetched(entry: PackedPackage): Promise<Fetched> {
    let fetch = this.fetches.get(entry.name);
    if (!fetch) {
      const started: Fetch = { done: this.fetch(entry), result: null };
      started.done.then(
        result => {
          started.result = result;
        },
        () => this.fetches.delete(entry.name),
      );
      this.fetches.set(entry.name, started);
      fetch = started;
    }
    return fetch.done;
  }

  private async fetch(entry: PackedPackage): Promise<Fetched> {
    const later = this.asset(entry.packs.later);
    const [pack] = await Promise.all([
      Pack.fetch(this.indexURL, entry.packs.now),
      FETCHES_NOW ? null : later.prefetch(), // later, it could not be read while Python waits
    ]);
    const libraries = [...pack.entries()].filter(([path]) => isLibrary(path));
    await Promise.all(libraries.map(([path, bytes]) => this.libraries.compile(this.place(path), bytes)));
    return { pack, later };
  }

  private asset({ file, crc32 }: PackedFile): LazyAsset {
    return new LazyAsset(this.indexURL + file, crc32, text => this.post({ type: 'log', level: 'error', text }));
  }

  private place(path: string): string {
    return path.startsWith('/') ? path : `${this.sitePackages}/${path}`;
  }

  private mount(pack: Pack, later: LazyAsset): void {
    mountDivided(this.pyodide.FS, pack, later, path => this.place(path));
    this.deferred.add(later);
  }

  private lookAgain(): void {
    (this.pyodide.pyimport('browsergrad_kernel.on_demand').files_were_added as PyProxy)();
  }
}
