/** The page's end of a worker, with a worker in memory at the other. */
import { afterEach, describe, expect, it, vi } from 'vitest';

import { BrowsergradError } from '../../src/runtime/errors';
import {
  Control,
  type BootOptions,
  type DriveAnswer,
  type FromWorker,
  type ToWorker,
} from '../../src/runtime/protocol';
import { unpackAnswer } from '../../src/runtime/packed_answer';
import { WorkerLink, type WorkerLinkOptions } from '../../src/runtime/worker_link';
import { FakeWorker } from './fake_worker';

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve));
const links: WorkerLink[] = [];

afterEach(() => {
  links.splice(0).forEach(link => link.terminate(new BrowsergradError('disposed', 'the test is over')));
  vi.unstubAllGlobals();
});

function make(
  options: Partial<WorkerLinkOptions> = {},
  script: ConstructorParameters<typeof FakeWorker>[0] = {},
  boot: Partial<BootOptions> = {},
) {
  const worker = new FakeWorker(script);
  const events = { onStreams: vi.fn(), onMessage: vi.fn(), onLog: vi.fn(), onCrash: vi.fn() };
  const link = new WorkerLink({
    worker: worker as unknown as Worker,
    workerURL: 'https://a.example/worker.js',
    boot: {
      mode: 'session',
      indexURL: 'https://a.example/pyodide/',
      kernelURL: 'https://a.example/kernel/',
      interruptible: true,
      packages: [],
      jsModules: [],
      cwd: null,
      kernel: null,
      ...boot,
    },
    serviceWorkerBase: null,
    ...events,
    ...options,
  });
  links.push(link);
  return { ...events, link, worker };
}

function booted(worker: FakeWorker): BootOptions {
  return (worker.received[0] as Extract<ToWorker, { type: 'boot' }>).options;
}

function wordsOf(worker: FakeWorker): Int32Array {
  return new Int32Array(booted(worker).control!.buffer, 0, Control.Length);
}

const types = (messages: ToWorker[]): string[] => messages.map(({ type }) => type);

describe('a start', () => {
  it('reports its Python', async () => {
    const { link } = make();
    expect(link.info).toBeNull();
    expect((await link.ready).pythonVersion).toBe('3.14.2');
    expect(link.info).toMatchObject({ interruptMode: 'shared-memory' });
  });

  it('shares memory only where interrupts are wanted', () => {
    const shared = booted(make().worker);
    expect([shared.control, shared.reply].map(Boolean)).toEqual([true, true]);
    const alone = booted(make({}, {}, { interruptible: false }).worker);
    expect([alone.control, alone.reply, alone.channel]).toEqual([null, null, null]);
  });

  it('names the service worker’s address only where no memory is shared', () => {
    const { worker } = make({ serviceWorkerBase: 'https://a.example/lite/' }, {}, { interruptible: false });
    expect(booted(worker).channel?.url).toBe('https://a.example/lite/api/drive');
    expect(booted(make({ serviceWorkerBase: 'https://a.example/lite/' }).worker).channel).toBeNull();
  });

  it('that fails rejects, and so does what is asked later', async () => {
    const { link, onCrash } = make({}, { bootFails: 'no room' });
    await expect(link.ready).rejects.toMatchObject({ code: 'boot-failed', message: 'no room' });
    await expect(link.clear()).rejects.toMatchObject({ code: 'boot-failed' });
    expect(onCrash).toHaveBeenCalledTimes(1);
    expect(link.isEnded).toBe(true);
  });
});

describe('requests', () => {
  it('get their own answers', async () => {
    const { link, worker } = make();
    await link.ready;
    await link.file({ kind: 'write', path: '/a', data: new Uint8Array([1]) });
    expect(await link.file({ kind: 'read', path: '/a' })).toEqual(new Uint8Array([1]));
    await expect(link.file({ kind: 'read', path: '/b' })).rejects.toMatchObject({
      code: 'file',
      message: '/b could not be read',
    });
    expect(await link.exec('1', false)).toEqual({ error: null });
    expect(worker.ran).toEqual(['1']);
  });

  it('are rejected when the worker dies, with what it said', async () => {
    const { link, onCrash, worker } = make();
    await link.ready;
    const running = link.exec('forever', false);
    running.catch(() => undefined);
    await settled();
    worker.send({ type: 'fatal', message: 'out of memory' });
    await expect(running).rejects.toMatchObject({ code: 'worker-crash', message: 'out of memory' });
    expect(onCrash.mock.calls[0][0]).toMatchObject({ code: 'worker-crash' });
    expect(worker.terminated).toBe(true);
  });

  it('are rejected once when the worker is terminated, and nobody calls that a crash', async () => {
    const { link, onCrash } = make();
    await link.ready;
    const running = link.exec('forever', false);
    link.terminate(new BrowsergradError('disposed', 'gone'));
    link.terminate(new BrowsergradError('internal', 'again'));
    await expect(running).rejects.toMatchObject({ code: 'disposed', message: 'gone' });
    expect(onCrash).not.toHaveBeenCalled();
  });
});

describe('an interrupt', () => {
  it('is addressed to the request that was sent first', async () => {
    const { link, worker } = make({}, { answersInterrupts: true });
    await link.ready;
    const running = link.exec('forever', false);
    await settled();
    link.interrupt({ limitMs: 2000, storm: true });
    const words = wordsOf(worker);
    expect([Control.Interrupt, Control.TimedOut, Control.Storm, Control.LimitMs].map(at => words[at])).toEqual([
      1, 1, 1, 2000,
    ]);
    expect(worker.received.at(-1)).toEqual({ type: 'interrupt', epoch: 1, storm: true, limitMs: 2000 });
    expect(await running).toMatchObject({ error: { kind: 'interrupted' } });
  });

  it('is addressed to what the worker says is running', async () => {
    const { link, worker } = make();
    await link.ready;
    void link.exec('forever', false).catch(() => undefined);
    await settled();
    Atomics.store(wordsOf(worker), Control.Epoch, 42);
    link.interrupt();
    expect(worker.received.at(-1)).toMatchObject({ type: 'interrupt', epoch: 42, limitMs: 0 });
  });

  it('does nothing when idle', async () => {
    const { link, worker } = make();
    await link.ready;
    link.interrupt();
    expect(types(worker.received)).toEqual(['boot']);
    expect(wordsOf(worker)[Control.Interrupt]).toBe(0);
  });

  it('wakes a worker that waits', async () => {
    const { link, worker } = make();
    await link.ready;
    void link.exec('forever', false).catch(() => undefined);
    const words = wordsOf(worker);
    const before = words[Control.Wake];
    link.interrupt();
    expect(words[Control.Wake]).toBe(before + 1);
  });
});

describe('what the worker sends', () => {
  const streams = (text: string, bytes: number): FromWorker => ({
    type: 'streams',
    chunks: [{ name: 'stdout', text, parent: '{}' }],
    bytes,
  });

  it('is acknowledged when it was handed on, also where that fails', async () => {
    const { link, onStreams, worker } = make();
    await link.ready;
    worker.send(streams('a', 10));
    expect(wordsOf(worker)[Control.OutputTaken]).toBe(10);
    onStreams.mockImplementationOnce(() => {
      throw new Error('the page failed');
    });
    expect(() => worker.send(streams('b', 5))).toThrow('the page failed');
    expect(wordsOf(worker)[Control.OutputTaken]).toBe(15);
  });

  it('is acknowledged by message where a kernel’s page shares no memory', async () => {
    const { link, worker } = make({}, {}, { interruptible: false, mode: 'kernel', fromFiles: true });
    await link.ready;
    worker.send(streams('a', 10));
    worker.send(streams('a', 10));
    expect(worker.received.filter(({ type }) => type === 'taken')).toEqual([
      { type: 'taken', bytes: 10 },
      { type: 'taken', bytes: 20 },
    ]);
  });

  it('is one message a line, and the buffers are of the last', async () => {
    const { link, onMessage, worker } = make();
    await link.ready;
    const buffers = [new ArrayBuffer(2)];
    worker.send({ type: 'message', json: '{"a":1}\n{"b":2}', buffers, bytes: 3 });
    expect(onMessage.mock.calls).toEqual([
      ['{"a":1}', []],
      ['{"b":2}', buffers],
    ]);
  });

  it('is handed on to the last message though an earlier one fails', async () => {
    const { link, onMessage, worker } = make();
    await link.ready;
    onMessage.mockImplementationOnce(() => {
      throw new Error('first');
    });
    expect(() => worker.send({ type: 'message', json: '1\n2', buffers: [], bytes: 3 })).toThrow('first');
    expect(onMessage.mock.calls.map(([json]) => json)).toEqual(['1', '2']);
  });

  it('reaches the callback that it is for', async () => {
    const heard: unknown[] = [];
    const { link, worker } = make({
      onProgress: progress => heard.push(progress.stage),
      onPackageProgress: progress => heard.push(progress.package),
      onLog: (level, text) => heard.push([level, text]),
      onLimit: ms => heard.push(ms),
      onAhead: () => heard.push('ahead'),
    });
    await link.ready;
    worker.send({ type: 'progress', progress: { stage: 'packages', message: '', fraction: 0.5 } });
    worker.send({ type: 'package', progress: { package: 'numpy', status: 'loading' } });
    worker.send({ type: 'log', level: 'warning', text: 'careful' });
    worker.send({ type: 'limit', ms: 7 });
    worker.send({ type: 'ahead' });
    expect(heard).toEqual(['packages', 'numpy', ['warning', 'careful'], 7, 'ahead']);
  });
});

describe('calls of the worker', () => {
  async function answerTo(drive: WorkerLinkOptions['drive']): Promise<unknown> {
    const { link, worker } = make({ drive });
    await link.ready;
    worker.send({ type: 'call', id: 5, call: { kind: 'drive', request: { method: 'get', path: 'a' } } });
    await settled();
    const words = wordsOf(worker);
    expect(words[Control.CallAnswered]).toBe(5);
    return unpackAnswer(new Uint8Array(booted(worker).reply!).slice(0, words[Control.CallLength]));
  }

  it('are answered by the page’s drive', async () => {
    const request = vi.fn(async (): Promise<DriveAnswer> => ({ ok: true, value: [1] }));
    expect(await answerTo({ request })).toEqual({ ok: true, value: [1] });
    expect(request).toHaveBeenCalledWith({ method: 'get', path: 'a' });
  });

  it.each([
    [undefined, { ok: false, errno: 'ENOSYS', message: 'this page has no drive' }],
    [{ request: () => Promise.reject(new Error('broken')) }, { ok: false, errno: 'EIO', message: 'Error: broken' }],
  ])('are answered whatever the drive does: %#', async (drive, expected) => {
    expect(await answerTo(drive)).toEqual(expected);
  });

  it('for a line of input get it by shared memory, or by message to a Python that is suspended', async () => {
    const { link, worker } = make();
    await link.ready;
    link.input('line');
    const words = wordsOf(worker);
    expect([words[Control.InputReady], words[Control.CallLength]]).toEqual([1, 4]);

    const other = make({}, {}, { interruptible: false });
    other.worker.send({
      type: 'booted',
      info: { pythonVersion: '3', pyodideVersion: '3', interruptMode: 'stack-switching', from: 'files' },
    });
    other.link.input('line');
    expect(other.worker.received.at(-1)).toEqual({ type: 'input', value: 'line' });
  });
});

describe('files that Python may need later', () => {
  const url = 'https://a.example/kernel/site.gz';

  it('are fetched for the worker, from the site’s folders alone', async () => {
    const fetched = vi.fn(async (_url: string) => new Response(new Uint8Array([1, 2])));
    vi.stubGlobal('fetch', fetched);
    const { link, worker } = make();
    await link.ready;
    worker.send({ type: 'fetch', url: 'https://elsewhere.example/x' });
    worker.send({ type: 'fetch', url });
    await vi.waitFor(() => expect(types(worker.received)).toContain('fetched'));
    expect(fetched.mock.calls.map(([address]) => address)).toEqual([url]);
    const { file, ...rest } = worker.received.at(-1) as { file: Blob };
    expect(rest).toEqual({ type: 'fetched', url });
    expect(new Uint8Array(await file.arrayBuffer())).toEqual(new Uint8Array([1, 2]));

    const { link: next, worker: other } = make();
    await next.ready;
    other.send({ type: 'fetch', url });
    await vi.waitFor(() => expect(types(other.received)).toContain('fetched'));
    expect(fetched).toHaveBeenCalledTimes(1);
  });

  it('that cannot be had are only logged', async () => {
    vi.stubGlobal('fetch', async () => new Response(null, { status: 404 }));
    const { link, onLog, worker } = make();
    await link.ready;
    worker.send({ type: 'fetch', url: `${url}.missing` });
    await vi.waitFor(() => expect(onLog).toHaveBeenCalled());
    expect(onLog.mock.calls[0]).toEqual([
      'warning',
      expect.stringContaining(`${url}.missing could not be fetched ahead of need`),
    ]);
  });
});
