/**
 * Loads packages of the distribution, and reports to the page what becomes of each.
 */
import type { Lock } from '../boot_assets';
import { errorText } from '../errors';
import type { PackageProgress } from '../protocol';
import type { AbortableLoads } from './abortable_loads';
import { readSync } from './lazy_assets';
import { inOrder } from './load_order';
import { PackageProblems } from './package_problems';
import type { LoadOptions, Post, Pyodide } from './pyodide';

/** The value of packages from our packs in `pyodide.loadedPackages`. */
const OUR_CHANNEL = 'jupyterlite-browsergrad';
/** The value of packages that Pyodide has loaded from its lock. */
const PYODIDE_CHANNEL = 'default channel';

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

  /**
   * @param indexURL - address of the distribution.
   * @param locked - the packages of its lock.
   * @param ours - the packages in our packs, with their versions: Python has them already.
   */
  constructor(
    private readonly pyodide: Pyodide,
    private readonly indexURL: string,
    locked: Lock['packages'],
    ours: Record<string, string>,
    loads: AbortableLoads,
    private readonly post: Post,
  ) {
    // Pyodide has noted these packages under the names that their authors use, such as `Pygments`.
    for (const name of Object.keys(pyodide.loadedPackages)) {
      if (!(name in ours) && name.toLowerCase().replace(/[-_.]+/g, '-') in ours) {
        delete pyodide.loadedPackages[name];
      }
    }
    for (const name of Object.keys(ours)) {
      pyodide.loadedPackages[name] ??= OUR_CHANNEL;
    }
    this.problems = new PackageProblems(indexURL, locked);
    this.offered = new Set(Object.keys(locked).filter(name => !(name in ours)));
    pyodide.loadPackage = loads.wrap(pyodide.loadPackage);
    pyodide.loadPackagesFromImports = loads.wrap(pyodide.loadPackagesFromImports);
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

  // --- Where Python cannot be suspended, its module `on_demand` loads packages itself, one by one.

  /** JSON of the packages to load for a package, in order. */
  orderJson(name: string): string {
    return JSON.stringify(inOrder(name, this.pyodide._api.lockfile_packages ?? {}, this.pyodide.loadedPackages));
  }

  /** Reads a file of the distribution while Python waits. */
  readNow(file: string): Uint8Array {
    return readSync(new URL(file, this.indexURL).href);
  }

  /** Python reports how far it is with a package. */
  note(name: string, status: PackageProgress['status'], message?: string): void {
    if (status === 'loaded') {
      this.pyodide.loadedPackages[name] = PYODIDE_CHANNEL;
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
