/**
 * Loads packages that the site has as packs, which `jupyterlite_browsergrad/site/packing.py` makes from wheels: nothing is
 * unpacked by Python, and compiled modules are linked only when they are imported.
 */
import type { PackedFile } from '../packed';
import type { DeferredAssets } from './deferred_assets';
import { fileMaker, FETCHES_NOW, LazyAsset, makeLazy } from './lazy_assets';
import { inOrder, type LockedPackage } from './load_order';
import { Pack } from './pack';
import type { LoadOptions, Post, Pyodide } from './pyodide';
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

/** Member of the first pack that lists the files of the second one, with their places in its content. */
const INDEX = '.later.json';

type PackedPackage = LockedPackage & { packs: Packs };

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

  /** Loads a package while Python waits. @returns false if it has no packs. */
  loadNow(name: string): boolean {
    const entry = this.locked[name];
    if (!entry || !hasPacks(entry)) {
      return false;
    }
    const { now, later } = entry.packs;
    this.mount(new Pack(this.asset(now).get()), this.asset(later));
    return true;
  }

  private async install(entry: PackedPackage): Promise<void> {
    const later = this.asset(entry.packs.later);
    const [pack] = await Promise.all([
      Pack.fetch(this.indexURL, entry.packs.now),
      FETCHES_NOW ? null : later.prefetch(), // later, it could not be read while Python waits
    ]);
    const libraries = [...pack.entries()].filter(([path]) => isLibrary(path));
    await Promise.all(libraries.map(([path, bytes]) => this.libraries.compile(this.place(path), bytes)));
    this.mount(pack, later);
    this.pyodide.loadedPackages[entry.name] = LOADED;
  }

  private asset({ file, crc32 }: PackedFile): LazyAsset {
    return new LazyAsset(this.indexURL + file, crc32, text => this.post({ type: 'log', level: 'error', text }));
  }

  private place(path: string): string {
    return path.startsWith('/') ? path : `${this.sitePackages}/${path}`;
  }

  private mount(pack: Pack, later: LazyAsset): void {
    const { FS } = this.pyodide;
    const create = fileMaker(FS);
    for (const [path, bytes] of pack.entries()) {
      if (path === INDEX) {
        const files = JSON.parse(new TextDecoder().decode(bytes)) as [path: string, offset: number, length: number][];
        for (const [name, offset, length] of files) {
          makeLazy(FS, create(this.place(name)), length, () => later.slice(offset, length));
        }
      } else {
        Object.assign(create(this.place(path)), { contents: bytes, usedBytes: bytes.length });
      }
    }
    this.deferred.add(later);
  }

  private lookAgain(): void {
    this.pyodide.runPython('__import__("importlib").invalidate_caches()');
  }
}
