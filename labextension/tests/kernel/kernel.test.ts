/** Every request gets its reply and its idle status, whatever the worker does. */
import type { KernelMessage } from '@jupyterlab/services';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { BrowsergradKernel } from '../../src/kernel/kernel';
import type { BrowsergradKernelOptions, ClientCallbacks } from '../../src/kernel/kernel_options';
import type { Admission, KernelGate } from '../../src/kernel/admission';
import { Limits } from '../../src/kernel/limits';
import type { KernelClient } from '../../src/runtime/kernel_client';
import { BrowsergradError } from '../../src/runtime/errors';
import type { JupyterMessage } from '../../src/runtime/protocol';

type Settle = { resolve(): void; reject(error: Error): void };

/** A worker that answers when the test says so. */
class FakeClient {
  readonly requests: JupyterMessage[] = [];
  readonly interrupt = vi.fn();
  readonly inputReply = vi.fn();
  canInterrupt = true;
  begun = 0;
  interruptMode = 'shared-memory';
  disposed = false;
  readonly ready: Promise<unknown>;
  boot!: Settle;
  private pending: Settle | null = null;

  constructor(private readonly callbacks: ClientCallbacks) {
    this.ready = new Promise<void>((resolve, reject) => {
      this.boot = { resolve: () => resolve(), reject };
    });
    this.ready.catch(() => undefined);
  }

  request(message: JupyterMessage): Promise<void> {
    this.requests.push(message);
    return new Promise((resolve, reject) => {
      this.pending = { resolve, reject };
    });
  }

  dispose(): void {
    this.disposed = true;
    this.boot.reject(new BrowsergradError('disposed', 'shut down'));
    this.pending?.reject(new BrowsergradError('disposed', 'shut down'));
  }

  /** Python's answer to the request that it works on, without the messages that the test names. */
  async answer(content: object = { status: 'ok' }, leaveOut: string[] = []): Promise<void> {
    const parent = this.requests.at(-1)!;
    const send = (channel: 'iopub' | 'shell', type: string, content: object): void => {
      if (!leaveOut.includes(type)) {
        const header = { ...parent.header, msg_id: `${Math.random()}`, msg_type: type };
        this.callbacks.onMessage({
          channel,
          header,
          parent_header: parent.header,
          metadata: {},
          content: { ...content },
        });
      }
    };
    send('iopub', 'status', { execution_state: 'busy' });
    if (parent.header.msg_type.endsWith('_request')) {
      send('shell', parent.header.msg_type.replace('request', 'reply'), content);
    }
    send('iopub', 'status', { execution_state: 'idle' });
    this.pending!.resolve();
    await settled();
  }

  /** Python's question to the user: the id of its message. */
  ask(): string {
    const parent = this.requests.at(-1)!;
    const header = { ...parent.header, msg_id: `${Math.random()}`, msg_type: 'input_request' };
    const content = { prompt: '', password: false };
    this.callbacks.onMessage({
      channel: 'stdin',
      header,
      parent_header: parent.header,
      metadata: {},
      content,
    });
    return header.msg_id;
  }

  /** There is work to do ahead of need, which never ends. */
  offer(): void {
    this.callbacks.onAhead?.();
  }

  getAhead(): Promise<boolean> {
    this.begun++;
    return new Promise(() => undefined);
  }

  limit(ms: number): void {
    this.callbacks.onLimit?.(ms);
  }

  async crash(): Promise<void> {
    const error = new BrowsergradError('worker-crash', 'out of memory');
    this.pending?.reject(error);
    this.callbacks.onCrash?.(error);
    await settled();
  }
}

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 0));

function make(
  createClient?: () => Promise<KernelClient>,
  gate?: KernelGate,
  more: Partial<BrowsergradKernelOptions> = {},
) {
  const sent: JupyterMessage[] = [];
  const clients: FakeClient[] = [];
  const withdraw = vi.fn();
  const events = {
    onBootFailed: vi.fn(),
    onRestarted: vi.fn(),
    onUnresponsive: vi.fn((_restart: () => void) => withdraw),
    onPromptAbandoned: vi.fn(),
    limitMs: vi.fn((): number | null => null),
    onLog: vi.fn(),
  };
  const kernel = new BrowsergradKernel({
    id: 'k',
    name: 'browsergrad',
    location: '',
    sendMessage: message => void sent.push(message as unknown as JupyterMessage),
    createClient:
      createClient ??
      (async callbacks => {
        clients.push(new FakeClient(callbacks));
        return clients.at(-1) as unknown as KernelClient;
      }),
    ...events,
    gate,
    ...more,
  });
  let next = 0;
  /** Sends a message and returns its id. */
  const send = (type: string, content: object = {}, channel = 'shell', parent = ''): string => {
    const msg_id = `m${next++}`;
    const header = { msg_id, msg_type: type, session: 's', username: 'u', date: '', version: '5.4' };
    void kernel.handleMessage({
      channel,
      header,
      parent_header: parent ? { msg_id: parent } : {},
      metadata: {},
      content,
      buffers: [],
    } as unknown as KernelMessage.IMessage);
    return msg_id;
  };
  /** The answer to a request, in words. */
  const answerTo = (id: string): string[] =>
    sent
      .filter(({ parent_header: parent }) => parent.msg_id === id)
      .map(({ header, content }) => {
        const detail = content.execution_state ?? content.status ?? content.ename;
        return `${header.msg_type} ${String(detail)}`;
      });
  return { kernel, sent, clients, send, answerTo, withdraw, ...events };
}

async function booted(gate?: KernelGate, more?: Partial<BrowsergradKernelOptions>) {
  const parts = make(undefined, gate, more);
  await settled();
  parts.clients[0].boot.resolve();
  await settled();
  return { ...parts, client: parts.clients[0] };
}

const OK = ['status busy', 'execute_reply ok', 'status idle'];
const ABORTED = ['status busy', 'execute_reply aborted', 'status idle'];
const FAILED = ['status busy', 'error KernelError', 'execute_reply error', 'status idle'];
const DIED = ['status busy', 'error KernelDied', 'execute_reply error', 'status idle'];

describe('a worker that has imported ahead', () => {
  it('gets the first cell in place of the present one', async () => {
    let other!: FakeClient;
    const exchangeClient = vi.fn(async (callbacks: ClientCallbacks) => {
      other = new FakeClient(callbacks);
      return other as unknown as KernelClient;
    });
    const { client, send, answerTo } = await booted(undefined, { exchangeClient });
    const info = send('kernel_info_request');
    send('comm_open');
    await settled();
    await client.answer();
    await client.answer();
    const cells = [send('execute_request'), send('execute_request')];
    await settled();
    await other.answer();
    await other.answer();
    expect([answerTo(info).length, ...cells.map(answerTo)]).toEqual([3, OK, OK]);
    expect([client.requests.length, other.requests.length]).toEqual([2, 2]);
    expect(exchangeClient).toHaveBeenCalledTimes(1);
    expect(client.disposed).toBe(false);
  });

  it('is not asked for twice, and there need not be one', async () => {
    const exchangeClient = vi.fn(async () => null);
    const { client, send, answerTo } = await booted(undefined, { exchangeClient });
    const cells = [send('execute_request'), send('execute_request')];
    await settled();
    await client.answer();
    await client.answer();
    expect(answerTo(cells[1])).toEqual(OK);
    expect(exchangeClient).toHaveBeenCalledTimes(1);
  });

  it.each([undefined, async (): Promise<Admission> => ({ refused: null, prepare: async () => undefined })])(
    'runs no cell that Stop has ended during the exchange',
    async gate => {
      let goOn!: (worker: null) => void;
      const exchanged = new Promise<null>(resolve => {
        goOn = resolve;
      });
      const exchangeClient = vi.fn(() => exchanged);
      const { kernel, client, send, answerTo } = await booted(gate, { exchangeClient });
      const cells = [send('execute_request'), send('execute_request')];
      await settled();
      expect(exchangeClient).toHaveBeenCalled();
      kernel.interrupt();
      goOn(null);
      await settled();
      expect(cells.map(answerTo)).toEqual([
        ['status busy', 'error KeyboardInterrupt', 'execute_reply error', 'status idle'],
        ABORTED,
      ]);
      expect(client.requests).toEqual([]);
    },
  );

  it('is not asked for before the cell may run', async () => {
    const exchangeClient = vi.fn(async () => null);
    const refused = { ename: 'LabRuntimeMismatch', evalue: 'no' };
    const { send, answerTo } = await booted(async () => ({ refused }), { exchangeClient });
    const cell = send('execute_request');
    await settled();
    expect(answerTo(cell)).toContain('error LabRuntimeMismatch');
    expect(exchangeClient).not.toHaveBeenCalled();
  });

  it('is expected until a cell runs', async () => {
    const onExpected = vi.fn((_modules: string[], _isWanted: () => boolean) => undefined);
    const { kernel, client, send } = await booted(undefined, { onExpected });
    (client as unknown as { expect(): void }).expect = () => undefined;
    kernel.expect(['numpy'], false);
    expect(onExpected).not.toHaveBeenCalled();
    kernel.expect(['numpy'], true);
    const [[modules, isWanted]] = onExpected.mock.calls;
    expect([modules, isWanted()]).toEqual([['numpy'], true]);
    send('execute_request');
    await settled();
    expect(isWanted()).toBe(false);
  });
});

describe('the queue', () => {
  it('hands over one request at a time, in order', async () => {
    const { client, send, answerTo } = await booted();
    const ids = [send('execute_request'), send('complete_request'), send('comm_msg')];
    await settled();
    expect(client.requests.map(({ header }) => header.msg_id)).toEqual([ids[0]]);
    for (let i = 0; i < 3; i++) {
      await client.answer();
    }
    expect(client.requests.map(({ header }) => header.msg_id)).toEqual(ids);
    expect(answerTo(ids[0])).toEqual(OK);
    expect(answerTo(ids[2])).toEqual(['status busy', 'status idle']);
  });

  it('lets no cell wait for a completion, which answers with what it has', async () => {
    const { client, send, answerTo } = await booted();
    const completion = send('complete_request');
    await settled();
    expect(client.interrupt).not.toHaveBeenCalled();
    const cell = send('execute_request');
    expect(client.interrupt).toHaveBeenCalledOnce();
    await client.answer();
    await client.answer();
    expect(answerTo(completion)).toEqual(['status busy', 'complete_reply ok', 'status idle']);
    expect(answerTo(cell)).toEqual(OK);
    expect(client.interrupt).toHaveBeenCalledOnce();
  });

  it('lets nobody wait long for a completion', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const parts = make();
      await vi.advanceTimersByTimeAsync(0);
      const [client] = parts.clients;
      client.boot.resolve();
      parts.send('complete_request');
      await vi.advanceTimersByTimeAsync(1000);
      expect(client.interrupt).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1000);
      expect(client.interrupt).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });

  it('hurries a completion behind which a cell waits already', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const parts = make();
      await vi.advanceTimersByTimeAsync(0);
      const [client] = parts.clients;
      parts.send('complete_request');
      parts.send('execute_request');
      expect(client.interrupt).toHaveBeenCalledOnce(); // no request runs yet, so nothing happens
      client.boot.resolve();
      await vi.advanceTimersByTimeAsync(200);
      expect(client.interrupt).toHaveBeenCalledTimes(2);
    } finally {
      vi.useRealTimers();
    }
  });

  it('lets Python work ahead of need only while nothing is asked', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const parts = make();
      await vi.advanceTimersByTimeAsync(0);
      const [client] = parts.clients;
      client.boot.resolve();
      client.offer();
      await vi.advanceTimersByTimeAsync(1000);
      expect(client.begun).toBe(1);
      parts.send('execute_request');
      expect(client.interrupt).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });

  it('never makes JupyterLite wait, so that nothing is lost in its own queue', async () => {
    const { kernel, send } = make();
    send('execute_request');
    await expect(kernel.ready).resolves.toBeUndefined();
  });

  it('drops cells, not other messages, after one that failed', async () => {
    const { client, send, answerTo } = await booted();
    const failing = send('execute_request');
    const cell = send('execute_request');
    const comm = send('comm_msg');
    await settled();
    await client.answer({ status: 'error' });
    await client.answer();
    expect(answerTo(failing)).toEqual(['status busy', 'execute_reply error', 'status idle']);
    expect(answerTo(cell)).toEqual(ABORTED);
    expect(answerTo(comm)).toEqual(['status busy', 'status idle']);
    const later = send('execute_request');
    await settled();
    await client.answer();
    expect(answerTo(later)).toEqual(OK);
  });

  it('runs a cell sent after the reply of one that failed, also while Python is not done with that', async () => {
    const { client, sent, send, answerTo } = await booted();
    send('execute_request');
    await settled();
    let next = '';
    const push = sent.push.bind(sent);
    sent.push = message => {
      if (message.content.status === 'error') {
        queueMicrotask(() => (next = send('execute_request')));
      }
      return push(message);
    };
    await client.answer({ status: 'error' });
    await client.answer();
    expect(answerTo(next)).toEqual(OK);
  });

  it('goes on after a failure that is not to stop it', async () => {
    const { client, send, answerTo } = await booted();
    send('execute_request', { stop_on_error: false });
    const cell = send('execute_request');
    await settled();
    await client.answer({ status: 'error' });
    await client.answer();
    expect(answerTo(cell)).toEqual(OK);
  });

  it.each([
    [['status'], OK.filter(line => line !== 'status busy')],
    [['execute_reply'], ['status busy', 'status idle', 'error KernelError', 'execute_reply error']],
  ])('adds what Python left out: %s', async (leaveOut, expected) => {
    const { client, send, answerTo } = await booted();
    const id = send('execute_request');
    await settled();
    await client.answer({ status: 'ok' }, leaveOut);
    expect(answerTo(id).toSorted()).toEqual(expected.toSorted());
  });

  it('copies the bytes of a buffer that is a view of a larger one', async () => {
    const { client, kernel } = await booted();
    const whole = new Uint8Array([1, 2, 3, 4]).buffer;
    const header = { msg_id: 'b', msg_type: 'comm_msg', session: 's' };
    await kernel.handleMessage({
      channel: 'shell',
      header,
      parent_header: {},
      metadata: {},
      content: {},
      buffers: [new DataView(whole, 1, 2), whole],
    } as unknown as KernelMessage.IMessage);
    await settled();
    expect(client.requests[0].buffers!.map(b => [...new Uint8Array(b)])).toEqual([
      [2, 3],
      [1, 2, 3, 4],
    ]);
  });

  it('answers also when a message cannot be sent', async () => {
    const { client, kernel, sent, onLog } = await booted();
    const options = (kernel as unknown as { options: { sendMessage(m: JupyterMessage): void } }).options;
    options.sendMessage = message => {
      if (message.header.msg_type === 'execute_reply' && message.content.status === 'ok') {
        throw new Error('no JSON');
      }
      sent.push(message);
    };
    const header = { msg_id: 'x', msg_type: 'execute_request', session: 's' };
    await kernel.handleMessage({ channel: 'shell', header, content: {} } as KernelMessage.IMessage);
    await settled();
    await client.answer();
    expect(sent.map(({ content }) => content.status).filter(Boolean)).toEqual(['error']);
    expect(onLog).toHaveBeenCalledWith('error', expect.stringContaining('no JSON'));
  });
});

describe('interrupts', () => {
  it('reach the worker at once, and the cells that wait are dropped in their turn', async () => {
    const { client, kernel, send, answerTo } = await booted();
    const running = send('execute_request');
    const waiting = send('execute_request');
    await settled();
    kernel.interrupt();
    expect(client.interrupt).toHaveBeenCalledOnce();
    expect(answerTo(waiting)).toEqual([]);
    await client.answer({ status: 'ok' });
    expect(answerTo(running)).toEqual(OK);
    expect(answerTo(waiting)).toEqual(ABORTED);
  });

  it('come past the queue as messages too', async () => {
    const { client, send, answerTo } = await booted();
    send('execute_request');
    await settled();
    const id = send('interrupt_request', {}, 'control');
    expect(client.interrupt).toHaveBeenCalledOnce();
    expect(answerTo(id)).toEqual(['status busy', 'interrupt_reply ok', 'status idle']);
  });

  it('drop the cells that wait for Python to start', async () => {
    const { kernel, clients, send, answerTo } = make();
    const cells = [send('execute_request'), send('execute_request')];
    const info = send('kernel_info_request');
    await settled();
    kernel.interrupt();
    cells.forEach(id => expect(answerTo(id)).toEqual(ABORTED));
    clients[0].boot.resolve();
    await settled();
    expect(clients[0].requests.map(({ header }) => header.msg_id)).toEqual([info]);
  });

  it('ask at once for a restart where there is no way to deliver them', async () => {
    const { client, kernel, send, onUnresponsive } = await booted();
    client.canInterrupt = false;
    kernel.interrupt();
    expect(onUnresponsive).not.toHaveBeenCalled();
    send('execute_request');
    await settled();
    kernel.interrupt();
    await settled();
    expect(onUnresponsive).toHaveBeenCalledOnce();
  });
});

describe('code that does not respond', () => {
  const STOPPED = ['status busy', 'error KernelRestarted', 'execute_reply error', 'status idle'];
  const LIMIT = STOPPED.map(line => line.replace('KernelRestarted', 'CellTimeoutError'));
  const SECOND = 1000;
  beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => vi.useRealTimers());

  async function running() {
    vi.useRealTimers();
    const parts = await booted();
    const send = (): string => parts.send('execute_request');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    return { ...parts, send };
  }
  const turns = async (): Promise<void> => vi.advanceTimersByTimeAsync(1).then(() => undefined);

  it('is asked about after a second, once, and ended by a restart', async () => {
    const { kernel, clients, send, answerTo, sent, onUnresponsive, onRestarted } = await running();
    const cell = send();
    const queued = send();
    await turns();
    kernel.interrupt();
    kernel.interrupt();
    vi.advanceTimersByTime(SECOND - 2);
    expect(onUnresponsive).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(onUnresponsive).toHaveBeenCalledOnce();
    onUnresponsive.mock.calls[0][0]();
    await turns();
    expect(answerTo(cell)).toEqual(STOPPED);
    expect(answerTo(queued)).toEqual(ABORTED);
    expect(clients[0].disposed).toBe(true);
    expect(clients).toHaveLength(2);
    expect(onRestarted).toHaveBeenCalledOnce();
    expect(sent.some(({ content }) => content.execution_state === 'restarting')).toBe(true);
  });

  it('takes the question back when it ends by itself', async () => {
    const { kernel, client, clients, send, withdraw, onUnresponsive } = await running();
    send();
    await turns();
    kernel.interrupt();
    vi.advanceTimersByTime(SECOND);
    void client.answer();
    await turns();
    expect(withdraw).toHaveBeenCalledOnce();
    onUnresponsive.mock.calls[0][0]();
    expect(clients).toHaveLength(1);
  });

  it('is not asked about when it answers in time', async () => {
    const { kernel, client, send, onUnresponsive } = await running();
    send();
    await turns();
    kernel.interrupt();
    void client.answer();
    await turns();
    send();
    vi.advanceTimersByTime(2 * SECOND);
    expect(onUnresponsive).not.toHaveBeenCalled();
  });

  it('is interrupted at its limit, then again and again, then ended', async () => {
    const { client, clients, send, answerTo, limitMs } = await running();
    limitMs.mockReturnValue(5 * SECOND);
    const cell = send();
    await turns();
    vi.advanceTimersByTime(5 * SECOND);
    expect(client.interrupt.mock.lastCall).toEqual([{ limitMs: 5 * SECOND }]);
    vi.advanceTimersByTime(500);
    expect(client.interrupt.mock.lastCall).toEqual([{ limitMs: 5 * SECOND, storm: true }]);
    vi.advanceTimersByTime(2500);
    await turns();
    expect(answerTo(cell)).toEqual(LIMIT);
    expect(clients).toHaveLength(2);
  });

  it('may limit itself, and a limit ends with its cell', async () => {
    const { client, send, clients } = await running();
    send();
    await turns();
    client.limit(SECOND);
    void client.answer();
    await turns();
    send();
    await turns();
    vi.advanceTimersByTime(10 * SECOND);
    expect(client.interrupt).not.toHaveBeenCalled();
    client.limit(SECOND);
    vi.advanceTimersByTime(SECOND);
    expect(client.interrupt).toHaveBeenCalledOnce();
    expect(clients).toHaveLength(1);
  });
});

describe('limits', () => {
  it.each([
    [undefined, 0, undefined, null],
    [undefined, 0, 9, 9],
    [undefined, 8, 9, 8],
    [7, 8, 9, 7],
    [0, 8, 9, null],
    ['soon', 0, 9, 9],
    [-1, NaN, Infinity, null],
  ])('notebook %s, user %s, site %s: %s', (notebook, user, site, expected) => {
    const limits = new Limits(site, () => notebook);
    limits.user = user;
    expect(limits.of('k')).toBe(expected);
  });
});

describe('input', () => {
  it('passes the queue', async () => {
    const { client, send } = await booted();
    send('execute_request');
    await settled();
    const question = client.ask();
    send('execute_request');
    send('input_reply', { value: 'Ada' }, 'stdin', question);
    expect(client.inputReply).toHaveBeenCalledWith('Ada');
  });

  it('that comes too late does not answer the next question', async () => {
    const { client, send } = await booted();
    send('execute_request');
    await settled();
    const [first, second] = [client.ask(), client.ask()];
    send('input_reply', { value: 'late' }, 'stdin', first);
    expect(client.inputReply).not.toHaveBeenCalled();
    send('input_reply', { value: 'Ada' }, 'stdin', second);
    send('input_reply', { value: 'twice' }, 'stdin', second);
    expect(client.inputReply.mock.calls).toEqual([['Ada']]);
  });

  it('nobody waits for any more is reported, so that its prompt goes', async () => {
    const { client, send, onPromptAbandoned } = await booted();
    const asking = send('execute_request');
    await settled();
    client.ask();
    await client.answer({ status: 'error' });
    expect(onPromptAbandoned.mock.calls).toEqual([[asking]]);
  });
});

describe('a boot that fails', () => {
  it('is answered to each request with its message', async () => {
    const { clients, send, answerTo, sent, onBootFailed } = make();
    const early = send('execute_request');
    await settled();
    clients[0].boot.reject(new BrowsergradError('boot-failed', 'pyodide.mjs: 404'));
    await settled();
    const late = send('execute_request');
    const info = send('kernel_info_request');
    await settled();
    expect(answerTo(early)).toEqual(FAILED);
    expect(answerTo(late)).toEqual(FAILED);
    expect(answerTo(info)).toEqual(['status busy', 'kernel_info_reply error', 'status idle']);
    expect(sent.find(({ header }) => header.msg_type === 'error')?.content.evalue).toBe('pyodide.mjs: 404');
    expect(onBootFailed).toHaveBeenCalledExactlyOnceWith('pyodide.mjs: 404');
  });

  it('may also be the runtime that cannot be loaded', async () => {
    const { send, answerTo, onBootFailed } = make(() => Promise.reject(new Error('no index.js')));
    const id = send('execute_request');
    await settled();
    expect(answerTo(id)).toEqual(FAILED);
    expect(onBootFailed).toHaveBeenCalledExactlyOnceWith('no index.js');
  });
});

describe('a worker that dies', () => {
  it('fails the cell, drops those that wait, and is replaced in place', async () => {
    const { client, clients, send, answerTo, sent, onRestarted } = await booted();
    const dying = send('execute_request');
    const waiting = send('execute_request');
    await settled();
    await client.crash();
    await settled();
    expect(answerTo(dying)).toEqual(DIED);
    expect(answerTo(waiting)).toEqual(ABORTED);
    expect(clients).toHaveLength(2);
    expect(onRestarted).toHaveBeenCalledExactlyOnceWith('out of memory');
    const restarting = sent.at(-1)!;
    expect(restarting.content).toEqual({ execution_state: 'restarting' });
    expect(restarting.header.session, 'JupyterLite delivers it to no other').toBe('s');
    clients[1].boot.resolve();
    await settled();
    const id = send('execute_request');
    await settled();
    await clients[1].answer();
    expect(answerTo(id)).toEqual(OK);
  });

  it('while idle is replaced too', async () => {
    const { client, clients, onRestarted } = await booted();
    await client.crash();
    await settled();
    expect(clients).toHaveLength(2);
    expect(onRestarted).toHaveBeenCalledOnce();
  });
});

describe('the end', () => {
  it('answers everything that is open, then ends the worker', async () => {
    const { client, kernel, send, answerTo } = await booted();
    const ids = [send('execute_request'), send('execute_request')];
    await settled();
    const gone = vi.fn();
    kernel.disposed.connect(gone);
    kernel.dispose();
    kernel.dispose();
    ids.forEach(id => expect(answerTo(id)).toEqual(['status busy', 'execute_reply error', 'status idle']));
    expect(gone).toHaveBeenCalledOnce();
    expect(client.disposed).toBe(true);
    await settled();
  });

  it('during a boot ends the worker that boots', async () => {
    const { kernel, clients, onBootFailed } = make();
    await settled();
    kernel.dispose();
    await settled();
    expect(clients[0].disposed).toBe(true);
    expect(onBootFailed).not.toHaveBeenCalled();
  });

  it('comes by message past a cell that never ends', async () => {
    const { kernel, send, answerTo } = await booted();
    const cell = send('execute_request');
    await settled();
    const id = send('shutdown_request', { restart: false }, 'control');
    expect(answerTo(id)).toEqual(['status busy', 'shutdown_reply ok', 'status idle']);
    expect(answerTo(cell)).toEqual(['status busy', 'execute_reply error', 'status idle']);
    expect(kernel.isDisposed).toBe(true);
  });

  it('with restart is a fresh worker under the same id', async () => {
    const { kernel, clients, send, answerTo } = await booted();
    const id = send('shutdown_request', { restart: true }, 'control');
    await settled();
    expect(answerTo(id)).toEqual(['status busy', 'shutdown_reply ok', 'status idle']);
    expect(clients.map(({ disposed }) => disposed)).toEqual([true, false]);
    expect(kernel.isDisposed).toBe(false);
    clients[1].boot.resolve();
    const cell = send('execute_request');
    await settled();
    await clients[1].answer();
    expect(answerTo(cell)).toEqual(OK);
  });
});

describe('the gate', () => {
  const refusal: Admission = {
    refused: { ename: 'LabRuntimeMismatch', evalue: 'lab requires ^0.9.0, runtime is 0.8.1' },
  };
  const REFUSED = ['status busy', 'error LabRuntimeMismatch', 'execute_reply error', 'status idle'];

  it('keeps a refused cell from the worker, and those behind it', async () => {
    const { client, send, answerTo, sent } = await booted(async () => refusal);
    const ids = [send('execute_request'), send('execute_request'), send('complete_request')];
    await settled();
    expect(ids.slice(0, 2).map(answerTo)).toEqual([REFUSED, ABORTED]);
    expect(client.requests.map(({ header }) => header.msg_type)).toEqual(['complete_request']);
    const reply = sent.find(({ header }) => header.msg_type === 'execute_reply')!;
    expect(reply.content).toMatchObject(refusal.refused!);
  });

  it('refuses before Python has booted', async () => {
    const { send, answerTo } = make(undefined, async () => refusal);
    const id = send('execute_request');
    await settled();
    expect(answerTo(id)).toEqual(REFUSED);
  });

  it.each(['gate', 'preparation'])('runs nothing when the %s fails', async what => {
    const fail = async (): Promise<never> => {
      throw new Error('broken');
    };
    const { client, send, answerTo } = await booted(
      what === 'gate' ? fail : async () => ({ refused: null, prepare: fail }),
    );
    const id = send('execute_request');
    await settled();
    expect(answerTo(id)).toEqual(FAILED);
    expect(client.requests).toEqual([]);
  });

  it('lets a cell run once its Python is prepared', async () => {
    let ready!: () => void;
    const prepare = vi.fn(
      () =>
        new Promise<void>(resolve => {
          ready = resolve;
        }),
    );
    const { client, send, answerTo } = await booted(async () => ({ refused: null, prepare }));
    const id = send('execute_request');
    await settled();
    expect(prepare).toHaveBeenCalledWith(client);
    expect(client.requests).toEqual([]);
    ready();
    await settled();
    await client.answer();
    expect(answerTo(id)).toEqual(OK);
  });

  it.each(['interrupt', 'restart', 'dispose'])('is waited for no longer after %s', async how => {
    const { client, kernel, send, answerTo, clients } = await booted(
      signal => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stop')))),
    );
    const id = send('execute_request');
    await settled();
    expect(answerTo(id)).toEqual([]);
    if (how === 'interrupt') {
      kernel.interrupt();
    } else if (how === 'dispose') {
      kernel.dispose();
    } else {
      send('shutdown_request', { restart: true }, 'control');
    }
    await settled();
    expect(answerTo(id).at(-1)).toBe('status idle');
    expect(client.requests).toEqual([]);
    if (how !== 'dispose') {
      clients.at(-1)!.boot.resolve();
      send('complete_request');
      await settled();
      expect(clients.at(-1)!.requests).toHaveLength(1);
    }
  });
});
