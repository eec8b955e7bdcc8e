// Compiles a zip of .py files inside Pyodide, so that the .pyc match its Python exactly.
// node precompile.mjs PYODIDE_FOLDER IN.zip OUT.zip PREFIX BESIDE
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [folder, input, output, prefix, beside] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(`${folder}/pyodide.mjs`).href);
const pyodide = await loadPyodide({ indexURL: folder });
pyodide.FS.writeFile('/in.zip', readFileSync(input));
pyodide.globals.set('PREFIX', prefix);
pyodide.globals.set('BESIDE', beside === '1');
pyodide.runPython(`
import importlib._bootstrap_external as bootstrap
import importlib.util, sys, warnings, zipfile
warnings.simplefilter("ignore")
tag = sys.implementation.cache_tag
with zipfile.ZipFile("/in.zip") as source, zipfile.ZipFile("/out.zip", "w") as target:
    for name in source.namelist():
        data = source.read(name)
        try:
            code = compile(data, f"{PREFIX}/{name}", "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError):
            continue  # files that hold syntax of another Python version on purpose
        pyc = bytes(bootstrap._code_to_hash_pyc(code, importlib.util.source_hash(data), False))
        folder, _, file = name.rpartition("/")
        place = f"{name}c" if BESIDE else f"{folder}{'/' if folder else ''}__pycache__/{file[:-3]}.{tag}.pyc"
        target.writestr(place, pyc)
`);
writeFileSync(output, pyodide.FS.readFile('/out.zip'));
process.exit(0);
