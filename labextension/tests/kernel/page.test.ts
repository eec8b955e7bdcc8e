/** The effects of a kernel on its page: progress, prompts, sessions, the pace of output, the status bar. */
import type { Session } from '@jupyterlab/services';
import type { Widget } from '@lumino/widgets';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const told = vi.hoisted(() => ({ notices: [] as unknown[], errors: [] as unknown[] }));
vi.mock('@jupyterlab/apputils', () => ({
  Notification: { error: (...args: unknown[]) => told.errors.push(args) },
  showErrorMessage: vi.fn(),
}));
vi.mock('../../src/notice', () => ({
  Notice: class {
    constructor(message: string, fraction?: number) {
      told.notices.push(['new', message, fraction]);
    }
    update(message: string, fraction?: number): void {
      told.notices.push(['update', message, fraction]);
    }
    dismiss(): void {
      told.notices.push(['dismiss']);
    }
  },
}));

const { ProgressNotification } = await import('../../src/kernel/progress');
const { closePrompts } = await import('../../src/kernel/prompts');
const { nameSessionsByPath } = await import('../../src/kernel/session_names');
const { outputPace } = await import('../../src/kernel/output_pace');

beforeEach(() => {
  vi.useFakeTimers();
  told.notices.length = told.errors.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('progress of a start', () => {
  const boot = (stage: 'runtime' | 'ready', fraction: number) => ({ stage, message: 'Starting Python', fraction });

  it('is shown only if the start takes time', () => {
    const quick = new ProgressNotification(Promise.resolve());
    quick.boot(boot('runtime', 0.2));
    vi.advanceTimersByTime(799);
    quick.boot(boot('ready', 1));
    vi.advanceTimersByTime(10_000);
    expect(told.notices).toEqual([]);
  });

  it('is one notification, which goes when Python is there', () => {
    const slow = new ProgressNotification(Promise.resolve());
    slow.boot(boot('runtime', 0.2));
    vi.advanceTimersByTime(800);
    slow.boot(boot('runtime', 0.5));
    slow.boot(boot('ready', 1));
    expect(told.notices).toEqual([
      ['new', 'Python (BrowserGrad): Starting Python (20 %)', 0.2],
      ['update', 'Python (BrowserGrad): Starting Python (50 %)', 0.5],
      ['dismiss'],
    ]);
  });

  it('of packages counts those that are there', () => {
    const progress = new ProgressNotification(Promise.resolve());
    progress.package({ package: 'numpy', status: 'loading' });
    progress.package({ package: 'pandas', status: 'loading' });
    vi.advanceTimersByTime(800);
    progress.package({ package: 'numpy', status: 'loaded' });
    progress.package({ package: 'pandas', status: 'failed', message: 'HTTP 404' });
    expect(told.notices).toEqual([
      ['new', 'Python (BrowserGrad): Loading numpy, pandas (0 %)', 0],
      ['update', 'Python (BrowserGrad): Loading pandas (50 %)', 0.5],
      ['dismiss'],
    ]);
    expect(told.errors).toEqual([['The package pandas could not be loaded: HTTP 404']]);
  });

  it('that failed is reported when JupyterLab can show it', async () => {
    let restored!: () => void;
    const progress = new ProgressNotification(new Promise<void>(resolve => (restored = resolve)));
    progress.fail('pyodide.mjs is missing');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told.errors).toEqual([]);
    restored();
    await vi.advanceTimersByTimeAsync(0);
    expect(told.errors).toEqual([
      ['Python did not start: pyodide.mjs is missing', expect.objectContaining({ autoClose: false })],
    ]);
  });
});

describe('prompts that nobody waits for', () => {
  it('are closed in the area of their request, once it is done', async () => {
    const stdin = {
      dispose: vi.fn(),
      hasClass: (name: string) => name === 'jp-OutputArea-stdin-item',
      children: () => [],
    };
    const output = { dispose: vi.fn(), hasClass: () => false, children: () => [] };
    let done!: () => void;
    const area = (msg_id: string) => ({
      future: { msg: { header: { msg_id } }, done: new Promise<void>(resolve => (done = resolve)) },
      children: () => [stdin, output],
    });
    const other = area('other');
    const cells = { widgets: [other, area('mine')], children: () => [] };
    const closed = closePrompts([{ children: () => [cells] }] as unknown as Widget[], 'mine');
    await vi.advanceTimersByTimeAsync(0);
    expect(stdin.dispose).not.toHaveBeenCalled();
    done();
    await closed;
    expect([stdin.dispose.mock.calls.length, output.dispose.mock.calls.length]).toEqual([1, 0]);
  });
});

describe('sessions', () => {
  it('are named by their whole path', () => {
    const startNew = vi.fn();
    const sessions = { startNew } as unknown as Session.IManager;
    nameSessionsByPath(sessions);
    const options = { name: 'lab.ipynb', path: 'b/lab.ipynb', type: 'notebook' };
    void sessions.startNew(options, {});
    expect(startNew).toHaveBeenCalledWith({ ...options, name: 'b/lab.ipynb' }, {});
  });
});

/** Bytes of messages. */
const [SHORT, LONG] = [1500, 32_000];

describe('output', () => {
  it('counts as shown soon where the page is idle', async () => {
    vi.stubGlobal('requestAnimationFrame', () => {
      throw new Error('no frame is waited for');
    });
    const done = vi.fn();
    void outputPace()(SHORT).then(done);
    await vi.advanceTimersByTimeAsync(5);
    expect(done).toHaveBeenCalled();
  });

  it('is waited for only now and then while the page keeps up', async () => {
    vi.stubGlobal('requestAnimationFrame', () => {
      throw new Error('no frame is waited for');
    });
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const shown = outputPace();
    const first = shown(SHORT);
    await vi.advanceTimersByTimeAsync(5);
    await first;
    for (let i = 1; i < 4; i++) {
      await shown(SHORT);
    }
    expect(timers).toHaveBeenCalledTimes(1);
    void shown(SHORT);
    expect(timers).toHaveBeenCalledTimes(2);
    void shown(LONG);
    expect(timers).toHaveBeenCalledTimes(3);
    timers.mockRestore();
  });

  it('of a busy page counts as shown after a frame and as long a rest', async () => {
    const frames: (() => void)[] = [];
    vi.stubGlobal('requestAnimationFrame', (frame: () => void) => frames.push(frame));
    vi.stubGlobal('cancelAnimationFrame', () => undefined);
    const busy = Date.now();
    vi.spyOn(performance, 'now').mockImplementation(() => (Date.now() - busy) * 20);
    const done = vi.fn();
    void outputPace()(SHORT).then(done);
    await vi.advanceTimersByTimeAsync(5);
    expect(frames).toHaveLength(1);
    frames[0]();
    await vi.advanceTimersByTimeAsync(0);
    expect(done).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1000);
    expect(done).toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it('of a page in the background does not wait for a frame that never comes', async () => {
    vi.stubGlobal('requestAnimationFrame', () => 1);
    vi.stubGlobal('cancelAnimationFrame', () => undefined);
    const start = Date.now();
    vi.spyOn(performance, 'now').mockImplementation(() => (Date.now() - start) * 20);
    const done = vi.fn();
    void outputPace()(SHORT).then(done);
    await vi.advanceTimersByTimeAsync(1200);
    expect(done).toHaveBeenCalled();
    vi.restoreAllMocks();
  });
});
