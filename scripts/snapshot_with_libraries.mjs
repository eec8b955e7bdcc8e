// Shows that a memory snapshot of Pyodide can hold imported packages with compiled modules, if their libraries are linked again.
//
// usage: node scripts/snapshot_with_libraries.mjs PYODIDE_FOLDER CODE EXPRESSION WHEEL…
//        node scripts/snapshot_with_libraries.mjs labextension/node_modules/pyodide 'import msgpack' 'msgpack.packb(1)' msgpack-*.whl
//
// It runs CODE, makes a snapshot, starts Pyodide from it and evaluates EXPRESSION: once as Pyodide does it today, which is a fatal
// error, and once with the libraries linked again. `docs/explanation/boot.md` says what that takes. Tried with Pyodide 314.0 (msgpack,
// pydantic-core) and 0.27.7 (NumPy, pandas, matplotlib).
import fs from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, code, expression, ...wheels] = process.argv.slice(2);
const indexURL = resolve(folder);
const load = name => import(pathToFileURL(join(indexURL, name)).href);
const { loadPyodide } = await load('pyodide.mjs');

/** Starts Pyodide, and unpacks the wheels. */
async function start(options) {
  const pyodide = await loadPyodide({ indexURL, env: { HOME: '/home/pyodide', MPLBACKEND: 'agg' }, ...options });
  for (const wheel of wheels) {
    pyodide.unpackArchive(new Uint8Array(fs.readFileSync(wheel)).buffer, 'wheel');
  }
  return pyodide;
}

/** Starts Pyodide from a snapshot. By itself, Pyodide 314 does not make its memory large enough. */
async function restore(snapshot) {
  const glue = fs.existsSync(join(indexURL, 'pyodide.asm.mjs')) ? await load('pyodide.asm.mjs') : null;
  return start({
    _loadSnapshot: snapshot,
    ...(glue && {
      createPyodideModule: async settings => {
        const module = await glue.default(settings);
        module.growMemory(snapshot.length);
        return module;
      },
    }),
  });
}

/** The functions of the main module by name: what it exports, and JavaScript's. */
const mainOf = ({ LDSO }) => LDSO.loadedLibsByName.__main__.exports;

/** Notes how the libraries were linked. Emscripten keeps each library's places in the struct that its handle points to. */
function describe({ LDSO, GOT, HEAPU8, wasmTable }, firstSlot, main) {
  const view = new DataView(HEAPU8.buffer);
  const libraries = Object.entries(LDSO.loadedLibsByHandle)
    .filter(([handle]) => Number(handle))
    .map(([handle, { name }]) => {
      const [memoryBase, memorySize, tableBase, tableSize] = [12, 16, 20, 24].map(at =>
        view.getUint32(+handle + at, true),
      );
      return { handle: Number(handle), name, memoryBase, memorySize, tableBase, tableSize };
    });
  const names = new Map();
  const owners = [['', main], ...libraries.map(({ handle, name }) => [name, LDSO.loadedLibsByHandle[handle].exports])];
  for (const [owner, functions] of owners) {
    for (const [name, value] of Object.entries(functions)) {
      if (typeof value === 'function' && !names.has(value)) {
        names.set(value, [owner, name]);
      }
    }
  }
  const inLibrary = slot =>
    libraries.some(({ tableBase, tableSize }) => slot >= tableBase && slot < tableBase + tableSize);
  const slots = [];
  for (let slot = firstSlot; slot < wasmTable.length; slot++) {
    if (!inLibrary(slot)) {
      // A function of JavaScript is in the table as a wrapper, but its slot is also the value of its symbol.
      const symbol = Object.keys(GOT).find(name => GOT[name].value === slot);
      slots.push([slot, ...(names.get(wasmTable.get(slot)) ?? ['', symbol])]);
    }
  }
  const offsets = Object.entries(GOT).map(([name, { value }]) => [name, value]);
  return { libraries, slots, offsets, tableLength: wasmTable.length };
}

/** Links the libraries of a restored memory at their places. Their constructors and relocations have run before the snapshot. */
function relink({ _module: module, FS }, { libraries, slots, offsets, tableLength }) {
  const { LDSO, GOT, HEAPU8, wasmTable } = module;
  const main = mainOf(module);
  const globals = { value: 'i32', mutable: true };
  wasmTable.grow(tableLength - wasmTable.length);
  for (const [name, value] of offsets) {
    GOT[name] ??= new WebAssembly.Global(globals);
    GOT[name].value = value;
  }
  const got = new Proxy({}, { get: (_, name) => (GOT[name] ??= new WebAssembly.Global(globals)) });
  const linked = { '': main };
  for (const { handle, name, memoryBase, memorySize, tableBase } of libraries) {
    const find = symbol =>
      symbol === '__memory_base'
        ? memoryBase
        : symbol === '__table_base'
          ? tableBase
          : (main[symbol] ??
            Object.values(linked).find(functions => symbol in functions)?.[symbol] ??
            (symbol.startsWith('invoke_') ? module.createInvokeFunction(symbol.slice(7)) : null) ??
            ((...values) => linked[name][symbol](...values)));
    const env = new Proxy({}, { get: (_, symbol) => find(symbol) });
    const data = HEAPU8.slice(memoryBase, memoryBase + memorySize);
    const imports = { env, 'GOT.mem': got, 'GOT.func': got, wasi_snapshot_preview1: env };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(FS.readFile(name)), imports);
    HEAPU8.set(data, memoryBase); // the instance has overwritten it with its first contents
    linked[name] = exports;
    const library = { refcount: Number.POSITIVE_INFINITY, name, exports: { ...exports }, global: false };
    LDSO.loadedLibsByName[name] = library;
    LDSO.loadedLibsByHandle[handle] = library;
  }
  for (const [slot, owner, name] of slots) {
    const value = linked[owner][name];
    try {
      wasmTable.set(slot, value);
    } catch {
      wasmTable.set(slot, module.convertJsFunctionToWasm(value, value.sig)); // a function of JavaScript
    }
  }
}

/** Says what a step gave, or how it failed, and how long it took. */
function show(title, step) {
  const begin = performance.now();
  let said;
  try {
    said = step() ?? 'done';
  } catch (error) {
    said = String(error).split('\n')[0];
  }
  console.log(`${title}: ${said} (${Math.round(performance.now() - begin)} ms)`);
}

const evaluate = pyodide => String(pyodide.runPython(`repr(${expression})`));
const first = await start({ _makeSnapshot: true });
const firstSlot = first._module.wasmTable.length;
show('imported', () => first.runPython(code));
const links = describe(first._module, firstSlot, mainOf(first._module));
const snapshot = first.makeMemorySnapshot();
console.log(`snapshot: ${links.libraries.length} libraries, ${(snapshot.length / 1e6).toFixed(1)} MB`);
const { error } = console;
console.error = () => undefined; // Pyodide's report of the fatal error
const today = await restore(snapshot);
show('restored, not linked', () => evaluate(today));
console.error = error;
const again = await restore(snapshot);
show('linked again', () => relink(again, links));
show('restored', () => evaluate(again));
process.exit(0); // an idle Pyodide keeps handles open
