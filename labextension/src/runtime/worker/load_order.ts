/**
 * The order in which Python loads a package and its dependencies, where an import blocks and nothing can be suspended.
 */

/** The fields of an entry of `pyodide-lock.json` that are used. */
export interface LockedPackage {
  name: string;
  file_name: string;
  sha256: string;
  install_dir: string;
  depends: string[];
}

/**
 * Packages to load for `name`, each after those it depends on.
 *
 * @param locked - entries by their names in the lock.
 * @param loaded - what has been loaded already.
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
