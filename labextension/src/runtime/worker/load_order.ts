/**
 * What Python needs to load a package while it stands still: where nothing can suspend it, and an import waits.
 */

/** Of an entry of `pyodide-lock.json`. */
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
