import { createSession } from './browsergrad/runtime/index.js';

const [status, code, run, stop, output] = ['status', 'code', 'run', 'stop', 'output'].map(id =>
  document.getElementById(id),
);
// What `npm run sync` has put into public/ lies beside the page, wherever that is.
const python = `${import.meta.env.BASE_URL}browsergrad/`;
let controller = new AbortController();

async function start() {
  try {
    return await createSession({ pyodideIndexURL: `${python}pyodide/`, kernelURL: `${python}kernel/` });
  } catch (error) {
    status.textContent = `Python did not start: ${error.message}`;
    throw error;
  }
}

async function runCode(session) {
  controller = new AbortController();
  run.disabled = true;
  stop.disabled = false;
  output.textContent = '';
  status.textContent = 'Running';
  const write = text => output.append(text);
  const { signal } = controller;
  const result = await session.exec({ code: code.value, signal, onStdout: write, onStderr: write });
  if (result.error) {
    write(result.error.traceback ?? result.error.message);
  }
  status.textContent = result.ok ? 'Done' : `Ended: ${result.error.kind}`;
  stop.disabled = true;
  run.disabled = false;
}

const session = await start();
status.textContent = 'Ready';
run.disabled = false;
run.addEventListener('click', () => runCode(session));
stop.addEventListener('click', () => controller.abort());
addEventListener('pagehide', () => session.dispose());
