/** Sessions over workers in memory: calls that wait, promises that settle, and the state after a hard stop. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { createSession, type ExecOptions, type Session, type SessionOptions } from '../../src/runtime';
import { FakeWorker } from './fake_worker';

type Script = ConstructorParameters<typeof FakeWorker>[0];

const asWorker = (fake: FakeWorker): Worker => fake as unknown as Worker;
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: { code: string }) => error.code,
  );
/** Lets everything run that only waits for its turn. */
const turns = (): Promise<void> => vi.advanceTimersByTimeAsync(0).then(() => undefined);

/** A session whose workers follow these scripts, one script each. All further workers follow the last script. */
async function sessionOver(...scripts: Script[]): Promise<{ session: Session; workers: FakeWorker[] }> {
  const workers: FakeWorker[] = [];
  const worker = (): Worker => {
    workers.push(new FakeWorker(scripts[Math.min(workers.length, scripts.length - 1)]));
    return asWorker(workers[workers.length - 1]);
  };
  return { session: await createSession({ pyodideIndexURL: '/pyodide/', worker }), workers };
}

/** Runs code that stops only when its worker ends. */
async function hardStop(session: Session): Promise<void> {
  const running = session.exec({ code: 'forever', timeoutMs: 10 });
  await vi.advanceTimersByTimeAsync(600);
  expect((await running).error).toMatchObject({
    kind: 'timeout',
    message: expect.stringContaining('namespace was lost'),
  });
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a session that starts again after a hard stop', () => {
  it('lets files wait for the start, and puts back what was there', async () => {
    const { session, workers } = await sessionOver({}, { holdBoot: true });
    await session.fs.write('/kept', 'before');
    await hardStop(session);
    await turns();
    const [reading, writing] = [session.fs.read('/kept'), session.fs.write('/new', 'after')];
    await turns();
    expect(workers[1].files.size).toBe(0);
    workers[1].boot();
    expect(await reading).toBe('before');
    await writing;
    expect([...workers[1].files.keys()]).toEqual(['/kept', '/new']);
    await session.dispose();
  });

  it.each(['abort', 'interrupt'] as const)('never runs code that was stopped by %s while it waited', async way => {
    const { session, workers } = await sessionOver({}, { holdBoot: true });
    await hardStop(session);
    const controller = new AbortController();
    const waiting = session.exec({ code: 'x = 1', signal: controller.signal });
    await turns();
    if (way === 'abort') {
      controller.abort();
    } else {
      session.interrupt();
    }
    const kind = way === 'abort' ? 'aborted' : 'interrupted';
    expect(await waiting).toMatchObject({ ok: false, error: { kind }, durationMs: 0 });
    const next = session.exec({ code: 'y = 2' });
    await turns();
    workers[1].boot();
    expect((await next).ok).toBe(true);
    expect(workers[1].ran).toEqual(['y = 2']);
    await session.dispose();
  });

  it("counts neither the wait as the code's time nor as part of its limit", async () => {
    const { session, workers } = await sessionOver({}, { holdBoot: true, answersInterrupts: true });
    await hardStop(session);
    const running = session.exec({ code: 'forever', timeoutMs: 1000 });
    await vi.advanceTimersByTimeAsync(5000);
    workers[1].boot();
    await vi.advanceTimersByTimeAsync(1000);
    const { error, durationMs } = await running;
    expect(error?.kind).toBe('timeout');
    expect(durationMs).toBe(1000);
    await session.dispose();
  });

  it('says for the whole time whether it can be interrupted', async () => {
    const { session, workers } = await sessionOver({}, { holdBoot: true });
    await hardStop(session);
    expect(session.canInterrupt).toBe(true);
    workers[1].boot();
    await session.dispose();
  });

  it('does again what was asked of files meanwhile, and forgets names once', async () => {
    const { session, workers } = await sessionOver({}, {});
    const running = session.exec({ code: 'forever', timeoutMs: 10 });
    await turns();
    const writing = session.fs.write('/late', 'x');
    await turns();
    await vi.advanceTimersByTimeAsync(600);
    await running;
    await writing;
    expect([...workers[1].files.keys()]).toEqual(['/late']);
    await session.clearNamespace();
    await session.dispose();
  });

  it('settles all that waits when it is disposed of', async () => {
    const { session } = await sessionOver({}, { holdBoot: true });
    await hardStop(session);
    const exec = session.exec({ code: 'x' });
    const others = [session.fs.read('/a'), session.fs.write('/a', 'b'), session.clearNamespace()].map(codeOf);
    let settled = false;
    void exec.then(() => (settled = true));
    await session.dispose();
    await Promise.resolve();
    expect(settled).toBe(true);
    expect((await exec).error?.kind).toBe('aborted');
    expect(await Promise.all(others)).toEqual(['disposed', 'disposed', 'disposed']);
    expect(await codeOf(session.dispose())).toBe('resolved');
    expect(await codeOf(session.exec({ code: 'x' }))).toBe('disposed');
  });

  it('tries again at the next request when a start has failed', async () => {
    const away = { bootFails: 'the network is away' };
    const { session, workers } = await sessionOver({}, away, away, {});
    await hardStop(session);
    await expect(session.exec({ code: 'lost' })).rejects.toMatchObject({
      code: 'boot-failed',
      message: 'the network is away',
    });
    expect((await session.exec({ code: 'x' })).ok).toBe(true);
    expect(workers.map(worker => worker.ran)).toEqual([['forever'], [], [], ['x']]);
    await session.dispose();
  });
});

describe('the worker that a page gives', () => {
  it('may be a function, which makes one for each start', async () => {
    const { session, workers } = await sessionOver({});
    await hardStop(session);
    expect((await session.exec({ code: 'x' })).ok).toBe(true);
    expect(workers.map(({ terminated }) => terminated)).toEqual([true, false]);
    await session.dispose();
    expect(workers[1].terminated).toBe(true);
  });

  it('is the only one where no script can be had: then all that follows says what to pass', async () => {
    const session = await createSession({ pyodideIndexURL: '/pyodide/', worker: asWorker(new FakeWorker()) });
    await hardStop(session);
    const failure = { code: 'boot-failed', message: expect.stringContaining('worker: () => new Worker') };
    await expect(session.exec({ code: 'x' })).rejects.toMatchObject(failure);
    await expect(session.fs.read('/a')).rejects.toMatchObject(failure);
    await expect(session.clearNamespace()).rejects.toMatchObject(failure);
    await session.dispose();
    expect(await codeOf(session.fs.read('/a'))).toBe('disposed');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no room');
      },
      'no room',
    ],
    ['returns something else', () => ({}), 'worker must return a Worker, not Object'],
  ])('is named where the function %s', async (_how, worker, text) => {
    const options = { pyodideIndexURL: '/pyodide/', worker: worker as unknown as () => Worker };
    await expect(createSession(options)).rejects.toMatchObject({
      code: 'boot-failed',
      message: expect.stringContaining(text),
    });
  });
});

describe('wrong arguments', () => {
  const worker = (): Worker => asWorker(new FakeWorker());
  const options = { pyodideIndexURL: '/pyodide/', worker };
  const CREATE: [string, unknown, string][] = [
    ['nothing', undefined, 'options'],
    ['null', null, 'options'],
    ['a list', [], 'options'],
    ['a text', '/pyodide/', 'options'],
    ...[undefined, null, '', 7, {}, new URL('http://a/')].map((value): [string, unknown, string] => [
      `pyodideIndexURL of ${String(value)}`,
      { ...options, pyodideIndexURL: value },
      'pyodideIndexURL',
    ]),
    ...(
      [
        ['kernelURL', '', 7, null, {}],
        ['packages', 'numpy', 7, null, {}, [1], [''], [null], new Set(['numpy'])],
        ['onPackageProgress', 'x', null, {}],
        ['disableInterruptBuffer', 'yes', 1, null, {}],
        ['worker', 'worker.js', 1, null, {}, new URL('http://a/worker.js')],
        ['jsModules', 'x', 1, null, {}, ['x'], [null], [{}], [{ name: 'x' }], [{ name: '', importURL: '/x.js' }]],
        ['jsModules', [{ name: 'x', importURL: 3 }], [{ name: 'x', importURL: '/x.js', exportName: 3 }]],
      ] as [string, ...unknown[]][]
    ).flatMap(([name, ...values]) =>
      values.map((value): [string, unknown, string] => [
        `${name} of ${JSON.stringify(value)}`,
        { ...options, [name]: value },
        name,
      ]),
    ),
  ];

  it.each(CREATE)('make createSession reject: %s', async (_name, given, named) => {
    await expect(createSession(given as SessionOptions)).rejects.toMatchObject({
      name: 'BrowsergradError',
      code: 'bad-option',
      message: expect.stringContaining(named),
    });
  });

  const EXEC: [string, unknown, string][] = [
    ['nothing', undefined, 'code'],
    ['a text', 'x = 1', 'code'],
    ...[undefined, null, 7, ['x']].map((code): [string, unknown, string] => [
      `code of ${String(code)}`,
      { code },
      'code',
    ]),
    ...(
      [
        ['timeoutMs', -1, NaN, -Infinity, '100', {}, true, 5n, new Date(5)],
        ['signal', new AbortController(), {}, 'x', true, null, { aborted: false }, new EventTarget()],
        ['onStdout', 'x', {}, null, 1],
        ['onStderr', 'x', {}, null, 1],
        ['onAssertion', 'x', {}, null, 1],
        ['onArtifact', 'x', {}, null, 1],
      ] as [string, ...unknown[]][]
    ).flatMap(([name, ...values]) =>
      values.map((value): [string, unknown, string] => [
        `${name} of ${String(value)}`,
        { code: 'never', [name]: value },
        name,
      ]),
    ),
  ];

  it.each(EXEC)('make exec reject and lose nothing: %s', async (_name, given, named) => {
    const { session, workers } = await sessionOver({});
    await expect(session.exec(given as ExecOptions)).rejects.toMatchObject({
      name: 'BrowsergradError',
      code: 'bad-option',
      message: expect.stringContaining(named),
    });
    expect((await session.exec({ code: 'x' })).ok).toBe(true);
    expect(workers.map(worker => worker.ran)).toEqual([['x']]);
    await session.dispose();
  });

  it('lose nothing where a signal is not what it says it is', async () => {
    const { session } = await sessionOver({});
    const signal = {
      aborted: false,
      addEventListener: () => {
        throw new Error('no');
      },
      removeEventListener: () => undefined,
    } as unknown as AbortSignal;
    await expect(session.exec({ code: 'never', signal })).rejects.toThrow('no');
    expect((await session.exec({ code: 'x' })).ok).toBe(true);
    await session.dispose();
  });

  it('of files are named', async () => {
    const { session } = await sessionOver({});
    for (const path of [undefined, null, '', 7, {}, 'a\0b']) {
      for (const done of [
        session.fs.read(path as string),
        session.fs.readBytes(path as string),
        session.fs.write(path as string, ''),
      ]) {
        await expect(done).rejects.toMatchObject({ code: 'bad-option', message: expect.stringContaining('path') });
      }
    }
    for (const data of [undefined, null, 7, {}, [1], new Float64Array(1), new ArrayBuffer(1)]) {
      const done = session.fs.write('/a', data as string);
      await expect(done).rejects.toMatchObject({ code: 'bad-option', message: expect.stringContaining('data') });
    }
    await session.dispose();
  });
});

describe('the time limit of an exec', () => {
  it.each([undefined, null, 0, Infinity, 2 ** 31, 2 ** 40])('is none for %s', async timeoutMs => {
    const { session, workers } = await sessionOver({ answersInterrupts: true });
    const running = session.exec({ code: 'forever', timeoutMs });
    await vi.advanceTimersByTimeAsync(100_000_000);
    workers[0].finish();
    expect((await running).ok).toBe(true);
    await session.dispose();
  });

  it('interrupts, and says how long it was', async () => {
    const { session } = await sessionOver({ answersInterrupts: true });
    const running = session.exec({ code: 'forever', timeoutMs: 2 ** 31 - 1 });
    await vi.advanceTimersByTimeAsync(2 ** 31 - 1);
    expect((await running).error).toEqual({ kind: 'timeout', message: 'the code ran longer than 2147483647 ms' });
    await session.dispose();
  });
});

describe('outside of pages', () => {
  it('createSession says that it needs a browser', async () => {
    await expect(createSession({ pyodideIndexURL: '/pyodide/' })).rejects.toMatchObject({
      code: 'no-browser',
      message: expect.stringContaining('Worker is not available'),
    });
  });
});
