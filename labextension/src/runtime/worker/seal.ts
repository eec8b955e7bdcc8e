/**
 * Removes from a worker's scope what Deno offers beyond a browser's worker. Deno's permissions refuse files, network and
 * processes, but these names need no permission: they start threads, write caches to the disk, or use the process's own pipes.
 * Pyodide then takes the worker for a browser's, and fetches its files.
 */

const BEYOND = ['Deno', 'process', 'Buffer', 'Worker', 'caches', 'localStorage', 'sessionStorage', 'close'];

/**
 * Browsers' workers have `importScripts`, and in a module it throws. Pyodide before 0.28 recognizes workers by it. It catches
 * the error, and imports the script.
 */
function importScripts(): never {
  throw new TypeError('a module cannot import scripts');
}

export function sealScope(scope: object = globalThis): void {
  Object.assign(scope, { importScripts });
  Reflect.deleteProperty(Object.getPrototypeOf(navigator) as object, 'gpu');
  for (const name of BEYOND) {
    if (name in scope && !Reflect.deleteProperty(scope, name)) {
      throw new Error(`${name} can't be taken out of the worker: the sandbox would leak`);
    }
    // Some are inherited from the scope's prototypes.
    for (let owner = scope; name in owner; ) {
      owner = Object.getPrototypeOf(owner) as object;
      if (Object.hasOwn(owner, name) && !Reflect.deleteProperty(owner, name)) {
        throw new Error(`${name} can't be taken out of the worker: the sandbox would leak`);
      }
    }
  }
}
