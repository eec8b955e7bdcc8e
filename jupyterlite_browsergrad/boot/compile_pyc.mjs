// Compiles Python sources inside Pyodide, so that the bytecode's magic number is that of the interpreter which will load it.
//
// usage: node compile_pyc.mjs PYODIDE_FOLDER JOB_FOLDER    (or with Deno)
// JOB_FOLDER holds `jobs.json`, a list of [source file, co_filename, output file]; file names are relative to JOB_FOLDER.
// A source that does not compile gets no output; its name and error are written to `errors.json`.
import { pathToFileURL } from 'node:url';
import { join, resolve } from 'node:path';

const [pyodideFolder, jobFolder] = process.argv.slice(2).map(path => resolve(path));
const { loadPyodide } = await import(pathToFileURL(join(pyodideFolder, 'pyodide.mjs')).href);
const pyodide = await loadPyodide({ indexURL: pyodideFolder, env: { HOME: '/home/pyodide', PYTHONHASHSEED: '0' } });
pyodide.mountNodeFS('/job', jobFolder);
pyodide.runPython(`
import json, warnings
from importlib._bootstrap_external import _code_to_hash_pyc
from importlib.util import source_hash
from pathlib import Path

warnings.simplefilter("ignore")
job = Path("/job")
errors = []
for source_name, filename, output_name in json.loads((job / "jobs.json").read_text()):
    source = (job / source_name).read_bytes()
    try:
        code = compile(source, filename, "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError) as error:
        errors.append([filename, str(error)])
        continue
    (job / output_name).write_bytes(_code_to_hash_pyc(code, source_hash(source), False))
(job / "errors.json").write_text(json.dumps(errors))
`);
// An idle Pyodide keeps handles open; nothing is left to do.
process.exit(0);
