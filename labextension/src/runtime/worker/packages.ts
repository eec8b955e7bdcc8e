/**
 * Loads packages of the distribution, and reports to the page what becomes of each.
 */
import { sitePackagesOf, type Lock } from '../boot_assets';
import { errorText } from '../errors';
import type { PackageProgress } from '../protocol';
import type { AbortableLoads } from './abortable_loads';
import type { DeferredAssets } from './deferred_assets';
import { readSync } from './lazy_assets';
import { canonicalName, inOrder, type LockedPackage } from './load_order';
import { PackageProblems } from './package_problems';
import { describe, LOADED, PackedPackages } from './packed_packages';
import type { LoadOptions, Post, Pyodide, PyProxy } from './pyodide';

/** The value of packages from our packs in `pyodide.loadedPackages`. */
const OUR_CHANNEL = 'jupyterlite-browsergrad';

/** The names in an argument of `loadPackage`, which may come from Python. */
function namesOf(names: string | string[] | PyProxy): string[] {
  const list = typeof names === 'string' || Array.isArray(names) ? names : (names.toJs() as string[]);
  return typeof list === 'string' ? [list] : [...list];
}

/** Names in Pyodide's texts, such as "Loading a, b". */
function namesIn(text: string, verb: string): string[] {
  return text.startsWith(`${verb} `)
    ? text
        .slice(verb.length + 1)
        .split(',')
        .map(name => name.trim())
        .filter(Boolean)
    : [];
}

export class Packages {
  /** Packages of the distribution's lock that our packs do not contain. */
  readonly offered: ReadonlySet<string>;
  private readonly problems: PackageProblems;
  private readonly packed: PackedPackages;

  /**
   * @param indexURL - address of the distribution.
   * @param lock - that of the distribution.
   * @param ours - the packages in our packs, with their versions: Python has them already.
   */
  constructor(
    private readonly pyodide: Pyodide,
    private readonly indexURL: string,
    lock: Lock,
    ours: Record<string, string>,
    loads: AbortableLoads,
    private readonly post: Post,
    deferred: DeferredAssets,
  ) {
    const locked = lock.packages;
    // Pyodide has noted these packages under the names that their authors use, such as `Pygments`.
    for (const name of Object.keys(pyodide.loadedPackages)) {
      if (!(name in ours) && canonicalName(name) in ours) {
        delete pyodide.loadedPackages[name];
      }
    }
    for (const name of Object.keys(ours)) {
      pyodide.loadedPackages[name] ??= OUR_CHANNEL;
    }
    this.problems = new PackageProblems(indexURL, locked);
    this.offered = new Set(Object.keys(locked).filter(name => !(name in ours)));
    this.packed = new PackedPackages(
      pyodide,
      indexURL,
      locked as Record<string, LockedPackage>,
      sitePackagesOf(lock),
      deferred,
      loads,
      post,
    );
    this.replaceLoaders(locked, loads);
  }

  /** Makes Pyodide's own functions load packs too. Packages call them, such as micropip. */
  private replaceLoaders(locked: Lock['packages'], loads: AbortableLoads): void {
    const { pyodide, packed } = this;
    const { loadPackage } = pyodide;
    pyodide.loadPackage = loads.wrap(async (given: string[] | PyProxy, options: LoadOptions = {}) => {
      const names = namesOf(given);
      const needed = packed.needed(names.map(canonicalName));
      const found = await packed.load(needed, options);
      // Pyodide knows what the lock does not name: addresses, and what to say about unknown names.
      const others = names.filter(name => !(canonicalName(name) in locked));
      others.push(...needed.filter(entry => !found.includes(entry)).map(entry => entry.name));
      if (found.length && !others.length) {
        return found.map(describe);
      }
      const byPyodide = await loadPackage.call(pyodide, others.length ? others : names, options);
      return [...found.map(describe), ...((byPyodide as unknown[] | undefined) ?? [])];
    });
    pyodide.loadPackagesFromImports = loads.wrap(async (code: string, options?: LoadOptions) => {
      const modules = (pyodide.pyimport('pyodide.code').find_imports as PyProxy)(code) as PyProxy;
      const names = (modules.toJs() as string[]).flatMap(module => this.missingFor(module) ?? []);
      modules.destroy();
      return names.length ? pyodide.loadPackage([...new Set(names)], options) : [];
    });
  }

  /** @throws Error that names the packages that could not be loaded: Pyodide only logs them. */
  async load(names: string[]): Promise<void> {
    const problem = await this.reported(options => this.pyodide.loadPackage(names, options), names);
    if (problem !== null) {
      throw new Error(problem);
    }
  }

  /**
   * Loads what `code` imports.
   *
   * @returns what went wrong, or null. Undefined where the distribution has no packages: the caller then need not even wait
   * for a turn of the event loop.
   */
  loadImports(code: string): Promise<string | null> | undefined {
    return this.offered.size > 0
      ? this.reported(options => this.pyodide.loadPackagesFromImports(code, options))
      : undefined;
  }

  /** The package that contains a module, if it has not been loaded. */
  missingFor(module: string): string | undefined {
    const name = this.pyodide._api._import_name_to_package_name?.get(module);
    return name !== undefined && !(name in this.pyodide.loadedPackages) ? name : undefined;
  }

  /**
   * Fetches and compiles the packages of these modules, since cells will import them. Nothing changes for Python, and what
   * fails is tried again by the import.
   */
  async layReady(modules: string[]): Promise<void> {
    const names = modules.flatMap(module => this.missingFor(module) ?? []);
    try {
      const ready = await this.packed.layReady(this.packed.needed(names));
      if (ready.length) {
        this.post({ type: 'log', level: 'info', text: `Fetched ahead of their import: ${ready.join(', ')}` });
      }
    } catch (error) {
      this.post({ type: 'log', level: 'warning', text: `Not fetched ahead of their import: ${errorText(error)}` });
    }
  }

  /**
   * Calls `use` with those of the modules that packs have, while Python sees these packs. Nothing counts as loaded.
   *
   * @returns whether there are such packages.
   */
  async whileMounted(modules: string[], use: (modules: string[]) => void): Promise<boolean> {
    const needed = (names: string[]): LockedPackage[] =>
      this.packed.needed(names.flatMap(module => this.missingFor(module) ?? []));
    const found = modules.filter(module => this.packed.has(needed([module])));
    if (found.length) {
      await this.packed.whileMounted(needed(found), () => use(found));
    }
    return found.length > 0;
  }

  // --- Where Python cannot be suspended, its module `on_demand` loads packages itself, one by one.

  /** JSON of the packages to load for a package, in order. */
  orderJson(name: string): string {
    return JSON.stringify(inOrder(name, this.pyodide._api.lockfile_packages ?? {}, this.pyodide.loadedPackages));
  }

  /** Reads a file of the distribution while Python waits. */
  readNow(file: string): Uint8Array {
    return readSync(new URL(file, this.indexURL).href);
  }

  /** Loads a package while Python waits. @returns false if that is left to Python. */
  loadNow(name: string): boolean {
    return this.packed.loadNow(name);
  }

  /** Python reports how far it is with a package. */
  note(name: string, status: PackageProgress['status'], message?: string): void {
    if (status === 'loaded') {
      this.pyodide.loadedPackages[name] = LOADED;
    }
    this.report(name, status, message);
  }

  private report(name: string, status: PackageProgress['status'], message?: string): void {
    this.post({ type: 'package', progress: { package: name, status, message } });
  }

  /**
   * Runs a load, and reports to the page what becomes of each package. Some of `requested` may be unknown to Pyodide.
   *
   * @returns what went wrong, or null.
   */
  private async reported(
    start: (options: LoadOptions) => Promise<unknown>,
    requested: string[] = [],
  ): Promise<string | null> {
    const pending = new Set<string>();
    const seen = new Set<string>();
    const errors: string[] = [];
    const settle = (status: 'loaded' | 'failed', message?: string): void => {
      for (const name of pending) {
        this.report(name, status, message);
      }
      pending.clear();
    };
    try {
      await start({
        messageCallback: text => {
          for (const name of namesIn(text, 'Loading')) {
            pending.add(name);
            seen.add(name);
            this.report(name, 'loading');
          }
          for (const name of namesIn(text, 'Loaded')) {
            pending.delete(name);
            this.report(name, 'loaded');
          }
        },
        errorCallback: text => errors.push(text),
      });
    } catch (error) {
      requested.filter(name => !seen.has(name)).forEach(name => pending.add(name));
      const problem = await this.problems.explain(pending, errorText(error));
      settle('failed', problem);
      throw new Error(problem, { cause: error });
    }
    const failed = errors.length > 0 && pending.size > 0;
    const problem = failed ? await this.problems.explain(pending, errors.join('\n')) : null;
    settle(failed ? 'failed' : 'loaded', problem ?? (errors.join('\n') || undefined));
    if (errors.length) {
      this.post({ type: 'log', level: 'warning', text: errors.join('\n') });
    }
    return problem;
  }
}
