// Lets matplotlib make its list of fonts, as it does when it is first imported.
//
// usage: node make_font_cache.mjs PYODIDE_FOLDER PACK JOB_FOLDER    (or with Deno)
// PYODIDE_FOLDER has Pyodide's core, a lock, and the wheels that the lock names; all of them are loaded. PACK is the kernel's portable
// pack, which has packages that wheels may need. JOB_FOLDER gets the list, under the name that this matplotlib looks for.
import fs from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';

const [pyodideFolder, packFile, jobFolder] = process.argv.slice(2).map(path => resolve(path));
const { loadPyodide } = await import(pathToFileURL(join(pyodideFolder, 'pyodide.mjs')).href);
const { packages } = JSON.parse(fs.readFileSync(join(pyodideFolder, 'pyodide-lock.json'), 'utf8'));
const pyodide = await loadPyodide({
  indexURL: pyodideFolder,
  env: { HOME: '/home/pyodide', MPLBACKEND: 'agg', MPLCONFIGDIR: '/fonts' },
});

const pack = gunzipSync(fs.readFileSync(packFile));
const start = 4 + pack.readUInt32LE(0);
for (const [path, offset, length] of JSON.parse(pack.subarray(4, start).toString()).files) {
  const full = `/kernel/${path}`;
  pyodide.FS.mkdirTree(full.slice(0, full.lastIndexOf('/')));
  pyodide.FS.writeFile(full, new Uint8Array(pack.subarray(start + offset, start + offset + length)), { canOwn: true });
}
pyodide.FS.mkdir('/fonts');
await pyodide.loadPackage(Object.keys(packages), { messageCallback: () => undefined });
pyodide.runPython(`
import sys
sys.path.append("/kernel")
import matplotlib.font_manager
`);
const lists = pyodide.FS.readdir('/fonts').filter(name => name.endsWith('.json'));
for (const name of lists) {
  fs.writeFileSync(join(jobFolder, name), pyodide.FS.readFile(`/fonts/${name}`));
}
if (!lists.length) {
  console.error(`matplotlib has written no list of fonts: ${pyodide.FS.readdir('/fonts')}`);
  process.exit(1);
}
// An idle Pyodide keeps handles open; nothing is left to do.
process.exit(0);
