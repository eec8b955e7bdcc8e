// The driver's host in Deno: the runtime's own kernel client with its worker, without a page.
// Arguments: URL of the static folder, path of the cases, tries, interrupts of the storm, seed. Prints the
// driver's results as JSON.
import './driver.js';

const [base, casesPath, tries, count, seed] = Deno.args;
const { KernelClient } = await import(`${base}runtime/index.js`);
const cases = JSON.parse(Deno.readTextFileSync(casesPath)).filter(item => !['page', 'drive'].includes(item.needs));
const open = new Map();

const client = new KernelClient({
  pyodideIndexURL: `${base}pyodide/`,
  kernelURL: `${base}kernel/`,
  sessionId: 'stop',
  piplite: { urls: [], disablePyPI: true },
  baseUrl: base,
  serviceWorker: false,
  onMessage(message) {
    const entry = open.get(message.parent_header.msg_id);
    if (message.content.execution_state === 'busy') entry?.busy();
    if (message.header.msg_type.endsWith('_reply')) entry?.reply(message.content);
  },
  onLog: (level, text) => console.error(level, text),
  onCrash: error => console.error('crash', error),
});
const info = await client.ready;

function request(type, content) {
  const header = {
    msg_id: crypto.randomUUID(),
    msg_type: type,
    session: 'stop',
    username: '',
    date: new Date().toISOString(),
    version: '5.4',
  };
  let busy, reply;
  const started = new Promise(resolve => {
    busy = resolve;
  });
  const replied = new Promise(resolve => {
    reply = resolve;
  });
  open.set(header.msg_id, { busy, reply });
  // The cell has ended when its request has. Then the next cell may be sent.
  const done = client
    .request({ channel: 'shell', header, parent_header: {}, metadata: {}, content, buffers: [] })
    .then(() => replied)
    .finally(() => open.delete(header.msg_id));
  return { busy: Promise.race([started, done]), done };
}

const host = {
  cancelsQueue: false, // the kernel in the page does that
  execute: (code, { stdin = false } = {}) =>
    request('execute_request', {
      code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: stdin,
      stop_on_error: true,
    }),
  request,
  interrupt: () => client.interrupt(),
  async value(expression) {
    const content = {
      code: '',
      silent: false,
      store_history: false,
      user_expressions: { v: expression },
      allow_stdin: false,
      stop_on_error: true,
    };
    return (await request('execute_request', content).done).user_expressions.v.data['text/plain'];
  },
};
const rows = await stop.table(host, cases, Number(tries), Number(seed), row =>
  console.error(row.name, row.ms.length, row.bad),
);
const storm = await stop.storm(host, cases, Number(count), Number(seed));
console.log(JSON.stringify({ info, rows, storm }));
client.dispose();
Deno.exit(0);
