// Interrupts kernels at random moments and measures what follows. Runs in a page and in Deno; the
// host it drives offers `execute(code, {stdin})` and `request(type, content)`, both giving
// `{busy, done}` (promises of the busy status and of the reply's content), `interrupt()`, `value(expression)`,
// and `cancelsQueue`: whether an interrupt cancels the cells that wait behind the running one.
globalThis.stop = (() => {
  const HANG_MS = 60_000; // longer than a busy machine takes
  const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
  const hang = Symbol('hang');
  const within = (promise, ms = HANG_MS) => Promise.race([promise, sleep(ms).then(() => hang)]);

  // A small random generator with a seed, so that a storm that failed can be run again.
  function random(seed) {
    let state = Math.imul(seed, 2654435761) >>> 0 || 1;
    return () => {
      state ^= state << 13;
      state >>>= 0;
      state ^= state >>> 17;
      state ^= state << 5;
      state >>>= 0;
      return state / 2 ** 32;
    };
  }

  async function plain(host, code) {
    const reply = await within(host.execute(code).done);
    return reply === hang ? 'hang' : reply.status === 'ok' ? 'ok' : `${reply.ename}: ${reply.evalue}`;
  }

  function spin(ms) {
    const end = performance.now() + ms;
    while (performance.now() < end);
  }

  async function delay(next) {
    const r = next();
    if (r < 0.2) spin(next() * 3);
    else await sleep(r < 0.9 ? next() * 60 : 60 + next() * 200);
  }

  // Interrupts one case once. Returns how it ended, and the ms from the interrupt to the reply.
  async function once(host, item, next, twice = 0) {
    const running = item.request ? host.request(...item.request) : host.execute(item.code, { stdin: item.stdin });
    if ((await within(running.busy)) === hang) return { outcome: 'never busy' };
    await delay(next);
    const begin = performance.now();
    host.interrupt();
    if (twice) {
      spin(next() * twice);
      host.interrupt();
    }
    const reply = await within(running.done);
    const ms = performance.now() - begin;
    if (reply === hang) return { outcome: 'hang' };
    if (item.request) return { outcome: reply.status, ms };
    if (reply.ename === 'KernelDied') return { outcome: `KernelDied: ${reply.evalue}`, ms };
    return { outcome: reply.status === 'error' ? reply.ename : reply.status, ms };
  }

  const expected = item => (item.request ? ['ok', 'error'] : ['KeyboardInterrupt']);

  async function prepare(host) {
    return plain(host, 'SENTINEL = {"a": [1, 2, 3]}');
  }

  // Interrupts each case `tries` times. Returns [{name, kind, ms: [...], bad: [...]}].
  async function table(host, cases, tries, seed, report = () => {}) {
    const next = random(seed);
    const rows = [];
    await prepare(host);
    for (const item of cases) {
      const row = { name: item.name, kind: item.kind, ms: [], bad: [] };
      rows.push(row);
      if (item.setup) {
        const s = await plain(host, item.setup);
        if (s !== 'ok') row.bad.push(`setup: ${s}`);
      }
      for (let i = 0; i < tries && row.bad.length < 3; i++) {
        const { outcome, ms } = await once(host, item, next);
        if (expected(item).includes(outcome)) row.ms.push(ms);
        else row.bad.push(outcome);
        if (outcome === 'hang' || outcome === 'never busy') {
          rows.hung = true;
          report(row);
          return rows;
        }
        const after = await plain(
          host,
          `assert SENTINEL == {"a": [1, 2, 3]}\n${item.after ? `assert ${item.after}` : ''}`,
        );
        if (after !== 'ok') row.bad.push(`next cell: ${after}`);
        if (after === 'hang') {
          rows.hung = true;
          report(row);
          return rows;
        }
      }
      if (item.teardown) await plain(host, item.teardown);
      report(row);
    }
    return rows;
  }

  const SHORT = [
    'x = 1',
    '[1, 2, 3]',
    "print('a' * 100)",
    'for i in range(3000): pass',
    'import asyncio\nawait asyncio.sleep(.002)',
    '1 / 0',
    'for',
    '%time sum(range(1000))',
    'a = 1\na\nb = 2\nb',
    'import time\ntime.sleep(.002)',
  ];
  const REQUESTS = [
    ['complete_request', { code: 'SENTINEL.ke', cursor_pos: 11 }],
    ['inspect_request', { code: 'SENTINEL', cursor_pos: 3, detail_level: 0 }],
    ['is_complete_request', { code: 'for i in x:' }],
  ];

  // `count` interrupts over a random mix: long cells, short cells, idle, requests, queued cells. `grown`: bytes that
  // Python's memory grew by in the second half.
  async function storm(host, cases, count, seed) {
    const next = random(seed);
    const pick = list => list[Math.floor(next() * list.length)];
    const long = cases.filter(item => !item.setup && !item.request);
    const bad = [];
    const outcomes = {};
    const ms = [];
    let sent = 0;
    await prepare(host);
    const press = () => {
      host.interrupt();
      sent++;
    };
    const settle = async (what, promise) => {
      const reply = await within(promise);
      const outcome = reply === hang ? 'hang' : reply.status === 'error' ? reply.ename : reply.status;
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      if (reply === hang) bad.push(`${what}: hang`);
      if (outcome === 'KernelDied') bad.push(`${what}: ${reply.evalue}`);
      return outcome;
    };
    const check = async what => {
      const after = await plain(host, 'assert SENTINEL == {"a": [1, 2, 3]}');
      if (after !== 'ok') bad.push(`after ${what}: ${after}`);
      return after !== 'hang';
    };
    const memory = async () => Number((await host.value('__import__("pyodide_js")._module.HEAP8.length')) ?? 0);
    let settled = null; // the first half brings in whatever the cases use
    while (sent < count && bad.length < 3) {
      if (settled === null && sent >= count / 2) settled = await memory();
      const d = next();
      let what;
      if (d < 0.08) {
        what = 'idle';
        press();
        if (next() < 0.5) await sleep(next() * 3);
      } else if (d < 0.26) {
        const code = pick(SHORT);
        what = `short ${code}`;
        const running = host.execute(code);
        if (next() < 0.5) spin(next() * 6);
        else await sleep(next() * 6);
        press();
        if (next() < 0.2) {
          spin(next() * 1.5);
          press();
        }
        const outcome = await settle(what, running.done);
        if (!['ok', 'KeyboardInterrupt', 'ZeroDivisionError', 'SyntaxError', 'aborted'].includes(outcome))
          bad.push(`${what}: ${outcome}`);
      } else if (d < 0.34) {
        const request = pick(REQUESTS);
        what = request[0];
        const running = host.request(...request);
        spin(next() * 12);
        press();
        await settle(what, running.done);
      } else if (d < 0.42 && host.cancelsQueue) {
        const item = pick(long);
        what = `queue behind ${item.name}`;
        const running = host.execute(item.code, { stdin: item.stdin });
        const queued = host.execute('queued = 7');
        if ((await within(running.busy)) === hang) bad.push(`${what}: never busy`);
        await delay(next);
        press();
        const first = await settle(what, running.done);
        const second = await settle(what, queued.done);
        if (first !== 'KeyboardInterrupt' || second !== 'aborted') bad.push(`${what}: ${first}, ${second}`);
      } else {
        const item = pick(long);
        what = `long ${item.name}`;
        const { outcome, ms: took } = await once(host, item, next, next() < 0.15 ? 4 : 0);
        sent++;
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        if (outcome !== 'KeyboardInterrupt') bad.push(`${what}: ${outcome}`);
        else ms.push(took);
      }
      if (bad.some(text => text.endsWith('hang')) || !(await check(what))) break;
    }
    return { sent, outcomes, bad, ms, grown: bad.length ? 0 : (await memory()) - settled };
  }

  return { table, storm, random, once, expected };
})();
