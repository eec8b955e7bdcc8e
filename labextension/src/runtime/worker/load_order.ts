/**
 * The order in which Python loads a package and its dependencies where an import has to block, since Python cannot be suspended.
 */

/** The fields of an entry of `pyodide-lock.json` that are used here. */
export interface LockedPackage {
  name: string;
  version?: string;
  file_name: string;
  sha256: string;
  install_dir: string;
  depends: string[];
}

/** A package's name as locks write it. */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, '-');
}

/**
 * Returns the packages to load for `name`, each after its dependencies.
 *
 * @param locked - entries of the lock, by name.
 * @param loaded - packages that have been loaded already, by name.
 */
export function inOrder(
  name: string,
  locked: Record<string, LockedPackage>,
  loaded: Record<string, unknown>,
): LockedPackage[] {
  const seen = new Set<string>();
  const found: LockedPackage[] = [];
  const visit = (wanted: string): void => {
    const entry = locked[wanted];
    if (!entry || seen.has(wanted) || wanted in loaded) {
      return;
    }
    seen.add(wanted);
    entry.depends.forEach(visit);
    found.push({ ...entry, name: wanted });
  };
  visit(name);
  return found;
}
