// Lets matplotlib make its list of fonts, as it does when it is first imported.
//
// usage: node make_font_cache.mjs PYODIDE_FOLDER PACK JOB_FOLDER    (or with Deno)
// PYODIDE_FOLDER has Pyodide's core, a lock, and the wheels that the lock names; all of them are loaded. PACK is the kernel's portable
// pack, which has packages that wheels may need. JOB_FOLDER gets `lists.json`: path in site-packages, or absolute path -> the list that this
// matplotlib looks for there.
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
await pyodide.loadPackage(Object.keys(packages), { messageCallback: () => undefined });
const lists = pyodide.runPython(`
import json, sys
from pathlib import Path
sys.path.append("/kernel")
from matplotlib import font_manager
# Pyodide changes matplotlib so that its list lies beside the module. The list in its wheel may be of another version.
own = Path(font_manager.__file__).parent / "fontlist.json"
found = {f"/home/pyodide/.matplotlib/{path.name}": path for path in Path("/fonts").glob("fontlist-*.json")}
found |= {"matplotlib/fontlist.json": own} if own.exists() else {}
json.dumps({name: path.read_text() for name, path in found.items()})
`);
fs.writeFileSync(join(jobFolder, 'lists.json'), lists);
// An idle Pyodide keeps handles open; nothing is left to do.
process.exit(0);
