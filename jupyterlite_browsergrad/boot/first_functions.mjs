// Finds out which functions of Pyodide's WebAssembly first cells run, and divides it into those and the rest (`divide_wasm.mjs`).
//
// usage: node first_functions.mjs PYODIDE_FOLDER PACK JOB_FOLDER    (or with Deno)
// JOB_FOLDER holds `memory.bin` of `make_snapshot.mjs`. It gets `first.wasm` and `rest.wasm`. If
// something in this Pyodide is not as expected, `first.wasm` is the whole, and there is no rest.
//
// Python is started from that memory, with a module that notes which functions are called, and runs `first_cells.txt`. A kernel that needs a function of the rest
// waits until that is there, so what this list lacks costs time and does no harm.
import './deterministic.mjs';
import fs from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { divided, FIRST, instrumented } from './divide_wasm.mjs';
import { withFewerQuestions } from './fewer_questions.mjs';
import { readPack } from './site_pack.mjs';
import { exportedFunctions, parse } from './wasm_module.mjs';

const [pyodideFolder, packFile, jobFolder] = process.argv.slice(2).map(path => resolve(path));
const CELLS = fs
  .readFileSync(new URL('first_cells.txt', import.meta.url), 'utf8')
  .split('# %%\n')
  .slice(1);
/** Further requests, by type. */
const REQUESTS = [
  ['complete_request', { code: 'import os; os.pa', cursor_pos: 16 }],
  ['inspect_request', { code: 'len', cursor_pos: 3, detail_level: 0 }],
  ['is_complete_request', { code: 'for i in x:' }],
  ['kernel_info_request', {}],
  ['comm_info_request', {}],
  ['history_request', { hist_access_type: 'tail', n: 1, output: false, raw: true }],
];
/** What Python's host answers. Other calls have no answer. */
const ANSWERS = {
  schedule: (callback, ms = 0) => void setTimeout(callback, ms),
  wait_mode: () => 'shared-memory',
  interrupt_snapshot: () => '0 0 0 0 0 0',
  packages_in_order: () => '[]',
};
/**
 * Functions by the names of their exports that are called only in browsers, or where stacks can be switched, which Node may lack: Python's calls are suspended and
 * resumed there, each with a state of a thread and a stack of its own.
 */
const NAMES =
  /^(_js2python_|_python2js|python2js_|JsvObject_CallMethodId|JsvPromise_Syncify|run_sync|can_run_sync|clear_method_call_singleton|wrap_promise|py_is_awaitable|_?dump_traceback)|^(_pyproxy_apply_promising|create_promise_handles_result_helper|pystate_threadstate_\w+|(enter|exit)_promising_task|(capture|restore)ThreadState|hiwire_\w+)$|^(_?PyThreadState_\w+|PyUnstable_ThreadState_\w+|_Py_InitializeRecursionLimits|PyErr_SetInterruptEx|PyErr_CheckSignals|PyThread_tss_\w+|_?emscripten_stack_\w+|chdir|setvbuf|pthread_setspecific)$/;
/** So many functions before and after one that is called belong to the first part too: they stand beside it in the source. */
const NEIGHBOURS = 2;
const ENVIRONMENT = { HOME: '/home/pyodide', LANG: 'en_US.UTF-8' };

const wasm = prepared(fs.readFileSync(join(pyodideFolder, 'pyodide.asm.wasm')));
const write = (name, bytes) => fs.writeFileSync(join(jobFolder, name), bytes);
const giveUp = error => {
  console.error(`Pyodide's WebAssembly is not divided, so a first cell needs more of it: ${error?.stack ?? error}`);
  write('first.wasm', wasm);
  process.exit(0);
};
process.on('uncaughtException', giveUp);
process.on('unhandledRejection', giveUp);

const { pyodide, called } = await start(await WebAssembly.compile(instrumented(wasm)));
const host = new Proxy({}, { get: (_, name) => ANSWERS[name] ?? (() => undefined), has: () => true });
pyodide.registerJsModule('_browsergrad_host', host);
pyodide.pyimport('browsergrad_kernel.snapshot').repair(pyodide.toPy(ENVIRONMENT));
const options = pyodide.toPy({ cwd: ENVIRONMENT.HOME, host: 'browser', vendored: [], session_id: '' });
const kernel = pyodide.pyimport('browsergrad_kernel.startup').start(options);
const ordinary = { silent: false, store_history: true, allow_stdin: false, user_expressions: {}, stop_on_error: true };
const requests = [...CELLS.map(code => ['execute_request', { code, ...ordinary }]), ...REQUESTS];
for (const [i, [msg_type, content]] of requests.entries()) {
  const header = { msg_id: String(i), msg_type, session: '', username: '', date: '', version: '' };
  const message = { channel: 'shell', header, parent_header: {}, metadata: {}, content };
  await kernel.receive(JSON.stringify(message), null, i + 1);
}
const warmUp = pyodide.pyimport('browsergrad_kernel.warm_up'); // what an idle kernel runs
for (let i = 0; i < warmUp.CELLS.length; i++) warmUp._run(kernel.shell);
const wanted = [
  ...called(),
  ...exportedFunctions(parse(wasm)).flatMap(({ name, number }) => (NAMES.test(name) ? [number] : [])),
];
const isFirst = new Set(wanted.flatMap(i => Array.from({ length: 2 * NEIGHBOURS + 1 }, (_, d) => i + d - NEIGHBOURS)));
const { first, rest } = divided(wasm, i => isFirst.has(i));
write('first.wasm', first);
write('rest.wasm', rest);
process.exit(0);

/** Pyodide's WebAssembly, in which some functions ask for signals less often. */
function prepared(bytes) {
  try {
    return withFewerQuestions(bytes).bytes;
  } catch (error) {
    console.error(`str, repr and long numbers take a few percent longer than they could: ${error?.stack ?? error}`);
    return bytes;
  }
}

/** Starts Pyodide from the memory, with `module`. The result's `called` returns the numbers of the functions that have been called. */
async function start(module) {
  let notes;
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (source, imports) => {
    if (!imports?.env || source instanceof WebAssembly.Module) return instantiate.call(WebAssembly, source, imports);
    const { exports } = await instantiate.call(WebAssembly, module, imports);
    const isNote = name => name.startsWith(`${FIRST}:`);
    const names = Object.keys(exports);
    notes = names.filter(isNote).map(name => exports[name]);
    // Emscripten takes every export for a symbol.
    const own = Object.fromEntries(names.filter(name => !isNote(name)).map(name => [name, exports[name]]));
    return { module, instance: { exports: own } };
  };
  const memory = fs.readFileSync(join(jobFolder, 'memory.bin'));
  const { unpack } = readPack(packFile);
  const [{ loadPyodide }, { default: createModule }] = await Promise.all(
    ['pyodide.mjs', 'pyodide.asm.mjs'].map(name => import(pathToFileURL(join(pyodideFolder, name)).href)),
  );
  let emscripten;
  const pyodide = await loadPyodide({
    indexURL: pyodideFolder,
    env: ENVIRONMENT,
    enableRunUntilComplete: true,
    stdout: () => undefined,
    stderr: () => undefined,
    _loadSnapshot: memory,
    _snapshotDeserializer: ({ pyodide: name }) => {
      const api = emscripten.API.public_api;
      return name === '' ? api : api[name];
    },
    fsInit: async (FS, { sitePackages }) => unpack(FS, sitePackages),
    createPyodideModule: async settings => {
      emscripten = await createModule(settings);
      if (!emscripten.growMemory(memory.length)) throw new Error('the memory cannot grow');
      return emscripten;
    },
  });
  WebAssembly.instantiate = instantiate;
  return { pyodide, called: () => notes.flatMap((note, i) => (note.value === 1 ? [i] : [])) };
}
