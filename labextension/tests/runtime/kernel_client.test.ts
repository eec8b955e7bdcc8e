/** Jupyter messages are sent as text, which is made once, in both directions. */
import { afterEach, describe, expect, it, vi } from 'vitest';

import { KernelClient, type KernelClientOptions } from '../../src/runtime/kernel_client';
import type { JupyterMessage, ToWorker } from '../../src/runtime/protocol';
import { FakeWorker } from './fake_worker';

const header = (msg_type: string) => ({
  msg_id: 'm1',
  msg_type,
  session: 's1',
  username: 'u',
  date: '2026-01-01T00:00:00Z',
  version: '5.4',
});

class LastWorker extends FakeWorker {
  static made: FakeWorker[] = [];
  constructor() {
    super();
    LastWorker.made.push(this);
  }
}

describe('a kernel client', () => {
  let worker: FakeWorker;
  let client: KernelClient;
  const received: JupyterMessage[] = [];

  function make(options: Partial<KernelClientOptions> = {}): void {
    vi.stubGlobal('Worker', LastWorker);
    client = new KernelClient({
      pyodideIndexURL: 'https://a.example/pyodide/',
      kernelURL: 'https://a.example/kernel/',
      workerURL: 'https://a.example/worker.js',
      sessionId: 'own',
      piplite: { urls: ['https://a.example/pypi/all.json'], disablePyPI: true },
      baseUrl: 'https://a.example/',
      serviceWorker: false,
      fromFiles: true,
      onMessage: message => received.push(message),
      ...options,
    });
    worker = LastWorker.made.at(-1)!;
  }

  const sent = <T extends ToWorker['type']>(type: T) =>
    worker.received.find(message => message.type === type) as Extract<ToWorker, { type: T }>;

  afterEach(() => {
    client.dispose();
    received.length = 0;
    vi.unstubAllGlobals();
  });

  it('starts a kernel for its session, with a folder only where there is a drive', async () => {
    make({ cwd: 'course' });
    expect(sent('boot').options).toMatchObject({
      mode: 'kernel',
      cwd: null,
      sealed: false,
      kernel: { session_id: 'own', piplite_urls: ['https://a.example/pypi/all.json'], disable_pypi: true },
    });
    client.dispose();
    make({ cwd: 'course', drive: { request: async () => ({ ok: true, value: null }) } });
    expect(sent('boot').options.cwd).toBe('course');
  });

  it('sends a request as text, with its type and its buffers beside it', async () => {
    make();
    await client.ready;
    const message: JupyterMessage = {
      channel: 'shell',
      header: header('comm_msg'),
      parent_header: {},
      metadata: {},
      content: { text: 'é\n', at: new Date(0) as unknown as string },
      buffers: [new Uint8Array([1, 2]).buffer],
    };
    void client.request(message).catch(() => undefined);
    message.content.text = 'changed later';
    await vi.waitFor(() => expect(sent('jupyter')).toBeDefined());
    const { msg_type, json, buffers } = sent('jupyter');
    expect(msg_type).toBe('comm_msg');
    expect(JSON.parse(json)).toEqual({
      channel: 'shell',
      header: header('comm_msg'),
      parent_header: {},
      metadata: {},
      content: { text: 'é\n', at: '1970-01-01T00:00:00.000Z' },
    });
    expect(buffers.map(buffer => [...new Uint8Array(buffer)])).toEqual([[1, 2]]);
  });

  it('hands on what Python sends', async () => {
    make();
    await client.ready;
    const message = { channel: 'iopub', header: header('status'), content: { execution_state: 'busy' } };
    const buffers = [new ArrayBuffer(1)];
    worker.send({ type: 'message', json: JSON.stringify(message), buffers, bytes: 1 });
    expect(received).toEqual([{ ...message, buffers }]);
  });

  it('makes a message of each piece of a stream, for the session that asked', async () => {
    make();
    await client.ready;
    const chunks = [
      { name: 'stdout', text: 'a', parent: JSON.stringify(header('execute_request')) },
      { name: 'stderr', text: 'b', parent: '{}' },
    ] as const;
    worker.send({ type: 'streams', chunks: [...chunks], bytes: 2 });
    expect(received.map(one => [one.header.msg_type, one.header.session, one.content, one.parent_header])).toEqual([
      ['stream', 's1', { name: 'stdout', text: 'a' }, header('execute_request')],
      ['stream', 'own', { name: 'stderr', text: 'b' }, {}],
    ]);
    expect(new Set(received.map(one => one.header.msg_id)).size).toBe(2);
  });

  it('knows how it can be reached once it has started', async () => {
    make();
    expect([client.interruptMode, client.canInterrupt, client.startedFrom]).toEqual(['none', false, null]);
    await client.ready;
    expect([client.interruptMode, client.canInterrupt, client.startedFrom]).toEqual(['shared-memory', true, 'files']);
  });

  it('becomes somebody else’s: its session, its folder, its callbacks', async () => {
    make();
    await client.ready;
    const messages: JupyterMessage[] = [];
    const request = vi.fn(async () => ({ ok: true, value: null }) as const);
    void client
      .adopt({ sessionId: 'other', cwd: 'b', drive: { request }, onMessage: message => messages.push(message) })
      .catch(() => undefined);
    expect(sent('adopt').adoption).toEqual({ session_id: 'other', cwd: 'b' });
    worker.send({ type: 'message', json: '{}', buffers: [], bytes: 1 });
    expect([messages.length, received.length]).toEqual([1, 0]);
  });

  it('rejects what is asked once it has been disposed', async () => {
    make();
    client.dispose();
    await expect(client.ready).rejects.toMatchObject({ code: 'disposed' });
    await expect(client.write('/a', new Uint8Array())).rejects.toMatchObject({ code: 'disposed' });
  });
});
