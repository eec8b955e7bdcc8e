// Runs the programs of the table in one kernel after another, each followed by a cell that must find the variables.
// Arguments: URL of the static folder, path of the programs (JSON), how Python starts, URL of Pyodide, URL of the worker.
// Prints one line of JSON for each program.
const [base, programsPath, startOf, pyodide, worker] = Deno.args;
const { KernelClient } = await import(`${base}runtime/index.js`);
const programs = JSON.parse(Deno.readTextFileSync(programsPath));

function start() {
  const open = new Map();
  let died;
  const death = new Promise(resolve => {
    died = resolve;
  });
  const client = new KernelClient({
    pyodideIndexURL: pyodide,
    workerURL: worker,
    kernelURL: `${base}kernel/`,
    sessionId: 'recursion',
    piplite: { urls: [], disablePyPI: true },
    baseUrl: base,
    serviceWorker: false,
    sealed: startOf !== 'files',
    onMessage(message) {
      const entry = open.get(message.parent_header.msg_id);
      if (message.header.msg_type === 'error' && entry) entry.error = message.content;
      if (message.header.msg_type === 'execute_result' && entry) entry.result = message.content.data['text/plain'];
      if (message.header.msg_type === 'execute_reply') entry?.resolve();
    },
    onLog: (level, text) => console.error(level, text),
    onCrash: error => died(error.message),
  });
  const run = async code => {
    const header = {
      msg_id: crypto.randomUUID(),
      msg_type: 'execute_request',
      session: 'recursion',
      username: '',
      date: new Date().toISOString(),
      version: '5.4',
    };
    const entry = {};
    const replied = new Promise(resolve => {
      entry.resolve = resolve;
    });
    open.set(header.msg_id, entry);
    const content = {
      code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
    };
    const done = client
      .request({ channel: 'shell', header, parent_header: {}, metadata: {}, content, buffers: [] })
      .then(() => replied)
      .catch(error => ({ died: error.message }));
    const dead = await Promise.race([done, death.then(message => ({ died: message }))]);
    open.delete(header.msg_id);
    return { ...entry, ...dead };
  };
  return { client, run };
}

let kernel = null;
for (const { name, code } of programs) {
  if (!kernel) {
    kernel = start();
    await kernel.client.ready;
    await kernel.run('kept = [1, 2, 3]');
  }
  const began = performance.now();
  const { error, result, died } = await kernel.run(code);
  const row = {
    name,
    ename: error?.ename,
    evalue: error?.evalue,
    traceback: error?.traceback?.join('\n'),
    result,
    died,
    ms: Math.round(performance.now() - began),
  };
  if (!died) {
    const after = await kernel.run('sum(kept)');
    row.after = after.result ?? after.error?.ename ?? after.died;
  }
  if (died || row.after !== '6') {
    kernel.client.dispose();
    kernel = null;
  }
  console.log(JSON.stringify(row));
}
Deno.exit(0);
