// Starts the kernel in Pyodide, here in Node or Deno, and writes its memory: what `worker/snapshot.ts` restores in a browser.
//
// usage: node make_snapshot.mjs PYODIDE_FOLDER PACK JOB_FOLDER    (or with Deno)
// PYODIDE_FOLDER is the published one (its standard library is what kernels import from later), PACK the site pack for its Python.
// JOB_FOLDER gets `snapshot.bin`: "BGS3", uint32 length of the header, header JSON padded to a multiple of 16, then the runs' bytes, then those of `omitted`;
// `snapshot.json`, facts for the manifest; and `memory.bin`, the whole memory as Pyodide writes and reads it. The header:
//   buildId  Pyodide's own id of the build
//   heap     bytes of memory to restore
//   runs     [[offset, length], …] of what is neither zero nor in `kept`
//   kept     [[offset, length], …] of what a new instance of the WebAssembly holds already
//   omitted  {links, hashes, tables}: what kernels compute again (`thin_heap.mjs`); the first two are lengths in bytes
//   state    what Pyodide keeps in JavaScript about objects in that memory
//   tree     {folders, files: [[path, base64], …]}: what starting has written to the file system
//   site     the pack's own list of files, whose offsets count from `siteOffset`
import './deterministic.mjs';
import fs from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readPack } from './site_pack.mjs';
import { thin } from './thin_heap.mjs';
import { CONSTANT, END, Reader, sectionsOf } from './wasm_reader.mjs';

/** Versions whose insides this and `worker/snapshot.ts` know. */
const SERIES = '314.';
const [pyodideFolder, packFile, jobFolder] = process.argv.slice(2).map(path => resolve(path));
const fail = error => {
  console.error(String(error?.stack ?? error).slice(-4000));
  process.exit(1);
};
process.on('uncaughtException', fail);
process.on('unhandledRejection', fail);

// Pyodide remembers whether stacks can be switched (JSPI) when it starts: in a browser they can, or `can_run_sync` is asked again.
if (!('Suspending' in WebAssembly)) {
  WebAssembly.Suspending = class {
    constructor(f) {
      // biome-ignore lint/correctness/noConstructorReturn: what Pyodide wraps has to stay callable
      return f;
    }
  };
  WebAssembly.promising =
    f =>
    async (...args) =>
      f(...args);
}
const { files, contentsAt, unpack } = readPack(packFile);

const { loadPyodide, version } = await import(pathToFileURL(join(pyodideFolder, 'pyodide.mjs')).href);
if (!version.startsWith(SERIES)) {
  console.error(`only Pyodide ${SERIES}x is known to work from a snapshot, and this is ${version}`);
  process.exit(1);
}
const pyodide = await loadPyodide({
  indexURL: pyodideFolder,
  _makeSnapshot: true,
  _sysExecutable: '/bin/python3',
  env: { HOME: '/home/pyodide', PYTHONHASHSEED: '0', LANG: 'en_US.UTF-8' },
  fsInit: async (FS, { sitePackages }) => unpack(FS, sitePackages),
});
const module = pyodide._module;
const tableLength = module.wasmTable.length;
pyodide.runPython('import browsergrad_kernel.snapshot as _s; _s.make(); del _s');
if (module.wasmTable.length !== tableLength || Object.keys(module.LDSO.loadedLibsByName).join() !== '__main__') {
  throw new Error(
    'starting the kernel has loaded a compiled extension or made a C callback: a snapshot cannot hold those',
  );
}
// Pyodide insists that this is empty (its issue 5195); the worker fills it again.
pyodide.runPython('import pyodide._package_loader as _p; _p.init_loaded_packages = lambda: None; del _p');
for (const name of Object.keys(pyodide.loadedPackages)) {
  delete pyodide.loadedPackages[name];
}
const hashed = JSON.parse(pyodide.runPython('str(__import__("browsergrad_kernel.snapshot").snapshot.hashed_codes())'));
zeroFreeMemory();
const tracked = pyodide.runPython('id(__import__("sys").modules)');

const api = module.API.public_api;
const taken = pyodide.makeMemorySnapshot({
  serializer: object => {
    const name = object === api ? '' : Object.getOwnPropertyNames(api).find(key => api[key] === object);
    if (name === undefined) {
      throw new Error(`a JavaScript object is alive in Python: ${String(object).slice(0, 200)}`);
    }
    return { pyodide: name };
  },
});
fs.writeFileSync(join(jobFolder, 'memory.bin'), taken);
const [, heapOffset, stateLength, , ...id] = new Uint32Array(taken.buffer, 0, 12);
const heap = taken.subarray(heapOffset);
const { links, hashes, tables } = thinned();
const { runs, kept } = runsOf(heap, initialMemory(join(pyodideFolder, 'pyodide.asm.wasm')));
const [lastOffset, lastLength] = runs.at(-1);
const header = Buffer.from(
  JSON.stringify({
    buildId: id.map(word => word.toString(16).padStart(8, '0')).join(''),
    heap: (lastOffset + lastLength + 65535) & ~65535,
    runs,
    kept,
    omitted: { links: links.length, hashes: hashes.length, tables },
    state: JSON.parse(new TextDecoder().decode(taken.subarray(48, 48 + stateLength))),
    tree: tree(),
    site: files,
    siteOffset: contentsAt,
  }),
);
const padding = Buffer.alloc((16 - ((8 + header.length) % 16)) % 16, 32);
const prefix = Buffer.from('BGS3\0\0\0\0');
prefix.writeUInt32LE(header.length + padding.length, 4);
const parts = runs.map(([offset, length]) => heap.subarray(offset, offset + length));
fs.writeFileSync(join(jobFolder, 'snapshot.bin'), Buffer.concat([prefix, header, padding, ...parts, links, hashes]));
fs.writeFileSync(
  join(jobFolder, 'snapshot.json'),
  JSON.stringify({ heap: heap.length, modules: pyodide.runPython('import sys; len(sys.modules)') }),
);
process.exit(0);

/** Takes out of the memory what can be computed, unless this Pyodide has another layout. */
function thinned() {
  try {
    return thin(heap, module, tracked, hashed);
  } catch (error) {
    console.error(`the memory snapshot is larger than usual: ${error.message}`);
    return { links: new Uint8Array(), hashes: new Uint8Array(), tables: [] };
  }
}

/** Takes every free block without growing the memory, clears it and gives it back: zeros are not stored. */
function zeroFreeMemory() {
  const blocks = [];
  const end = () => module.HEAPU32[module._emscripten_get_sbrk_ptr() >>> 2];
  for (let size = 1 << 20; size >= 32; size >>= 1) {
    for (let before = end(); ; ) {
      const block = module._malloc(size);
      if (!block) break;
      blocks.push([block, size]);
      if (end() !== before) break;
    }
  }
  for (const [block, size] of blocks) module.HEAPU8.fill(0, block, block + size);
  for (const [block] of blocks) module._free(block);
}

/** Finds what differs from zeros and from the memory that an instance begins with, in pages of 1 KiB. */
function runsOf(bytes, initial) {
  const PAGE = 1024;
  const runs = [];
  const kept = [];
  for (let page = 0; page < bytes.length; page += PAGE) {
    const length = Math.min(PAGE, bytes.length - page);
    const content = bytes.subarray(page, page + length);
    if (content.every(byte => byte === 0)) continue;
    const found = Buffer.compare(content, initial.subarray(page, page + length)) ? runs : kept;
    const last = found.at(-1);
    if (last && last[0] + last[1] === page) last[1] += length;
    else found.push([page, length]);
  }
  return { runs, kept };
}

/** The memory of a new instance as far as the module fills it: its active data segments. */
function initialMemory(path) {
  const DATA = 11;
  const segments = [];
  for (const { content } of sectionsOf(fs.readFileSync(path)).filter(({ id }) => id === DATA)) {
    const reader = new Reader(content);
    reader.vector(() => {
      const kind = reader.number();
      if (kind > 1) throw new Error('pyodide.asm.wasm has more than one memory');
      let offset = null; // of a passive segment, which the module copies itself
      if (kind === 0) {
        if (reader.byte() !== CONSTANT)
          throw new Error('a data segment of pyodide.asm.wasm has an address that is not constant');
        offset = reader.signedNumber();
        if (reader.byte() !== END) throw new Error('pyodide.asm.wasm cannot be read');
      }
      const bytes = reader.take(reader.number());
      if (offset !== null) segments.push([offset, bytes]);
    });
  }
  const memory = Buffer.alloc(Math.max(0, ...segments.map(([offset, content]) => offset + content.length)));
  for (const [offset, content] of segments) content.copy(memory, offset);
  return memory;
}

/** Folders and files outside Python's own and the system's. */
function tree() {
  const { FS } = pyodide;
  const folders = [];
  const found = [];
  const walk = path => {
    for (const name of FS.readdir(path)) {
      const full = `${path === '/' ? '' : path}/${name}`;
      if (name === '.' || name === '..' || /^\/(lib|dev|proc)$/.test(full)) continue;
      if (FS.isDir(FS.stat(full).mode)) {
        folders.push(full);
        walk(full);
      } else {
        found.push([full, Buffer.from(FS.readFile(full)).toString('base64')]);
      }
    }
  };
  walk('/');
  return { folders, files: found };
}
