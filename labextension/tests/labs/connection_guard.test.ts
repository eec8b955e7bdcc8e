/** A cell for a kernel that somebody else has started waits until it may run. Until then it behaves like any cell. */
import { KernelMessage, type Kernel } from '@jupyterlab/services';
import { describe, expect, it, vi } from 'vitest';

import { guardConnection } from '../../src/labs/connection_guard';
import type { Verdict } from '../../src/labs/gate';

const REFUSED: Verdict = { kind: 'refused', refusal: { path: 'p', message: 'lab requires ^9.0.0', errors: [] } };
const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve));

function message(msgType: 'execute_request' | 'kernel_info_request'): KernelMessage.IShellMessage {
  return KernelMessage.createMessage({ msgType, channel: 'shell', session: 's', content: {} } as never);
}

function make() {
  let settle!: (verdict: Verdict) => void;
  const verdict = vi.fn(() => new Promise<Verdict>(resolve => (settle = resolve)));
  const inner = {
    done: Promise.resolve('the reply'),
    onReply: null as unknown,
    onIOPub: null as unknown,
    onStdin: null as unknown,
    registerMessageHook: vi.fn(),
    removeMessageHook: vi.fn(),
    sendInputReply: vi.fn(),
    dispose: vi.fn(),
  };
  const send = vi.fn((..._args: unknown[]) => inner);
  const connection = { sendShellMessage: send } as unknown as Kernel.IKernelConnection;
  guardConnection(connection, verdict);
  const decide = async (value: Verdict): Promise<void> => {
    settle(value);
    await settled();
  };
  const execute = () => connection.sendShellMessage(message('execute_request')) as unknown as Kernel.IShellFuture;
  return { connection, decide, execute, inner, send, verdict };
}

describe('a guarded connection', () => {
  it('sends other messages at once, and is guarded once', () => {
    const { connection, send, verdict } = make();
    connection.sendShellMessage(message('kernel_info_request'));
    expect([send.mock.calls.length, verdict.mock.calls.length]).toEqual([1, 0]);
    const before = connection.sendShellMessage;
    guardConnection(connection, verdict);
    expect(connection.sendShellMessage).toBe(before);
  });

  it('sends a cell once it may run, with the handlers it has got meanwhile', async () => {
    const { decide, execute, inner, send } = make();
    const future = execute();
    const [onReply, onIOPub, onStdin, hook, dropped] = Array.from({ length: 5 }, () => vi.fn());
    Object.assign(future, { onReply, onIOPub, onStdin });
    future.registerMessageHook(hook);
    future.registerMessageHook(dropped);
    future.removeMessageHook(dropped);
    await settled();
    expect(send).not.toHaveBeenCalled();
    await decide({ kind: 'ordinary' });
    expect(send).toHaveBeenCalledTimes(1);
    expect([inner.onReply, inner.onIOPub, inner.onStdin]).toEqual([onReply, onIOPub, onStdin]);
    expect(inner.registerMessageHook.mock.calls).toEqual([[hook]]);
    expect(await future.done).toBe('the reply');
  });

  it('hands on what is done to a cell that was sent', async () => {
    const { decide, execute, inner } = make();
    const future = execute();
    await decide({ kind: 'ordinary' });
    const [handler, hook] = [vi.fn(), vi.fn()];
    future.onReply = future.onIOPub = future.onStdin = handler;
    expect([future.onReply, inner.onIOPub, inner.onStdin]).toEqual([handler, handler, handler]);
    future.registerMessageHook(hook);
    future.removeMessageHook(hook);
    future.sendInputReply({ status: 'ok', value: 'x' }, {} as never);
    future.dispose();
    expect(
      [inner.registerMessageHook, inner.removeMessageHook, inner.sendInputReply, inner.dispose].map(
        f => f.mock.calls.length,
      ),
    ).toEqual([1, 1, 1, 1]);
  });

  it('answers a cell that is refused, and does not send it', async () => {
    const { decide, execute, send } = make();
    const future = execute();
    const heard: [string, unknown][] = [];
    future.onIOPub = one => void heard.push([one.header.msg_type, one.content]);
    future.onReply = one => void heard.push([one.header.msg_type, one.content]);
    await decide(REFUSED);
    const shown = {
      ename: 'LabRuntimeMismatch',
      evalue: 'lab requires ^9.0.0',
      traceback: ['LabRuntimeMismatch: lab requires ^9.0.0'],
    };
    expect(heard).toEqual([
      ['error', shown],
      ['execute_reply', { status: 'error', execution_count: null, ...shown }],
    ]);
    expect((await future.done).header.msg_type).toBe('execute_reply');
    expect(send).not.toHaveBeenCalled();
  });

  it('sends no cell that was given up while it waited', async () => {
    const { decide, execute, send } = make();
    const future = execute();
    future.dispose();
    future.dispose();
    await decide({ kind: 'ordinary' });
    expect([send.mock.calls.length, future.isDisposed]).toEqual([0, true]);
    await expect(future.done).rejects.toThrow('Canceled future');
  });

  it('tells when a cell could not be sent', async () => {
    const { decide, execute, send } = make();
    send.mockImplementation(() => {
      throw new Error('the socket is closed');
    });
    const future = execute();
    await decide({ kind: 'ordinary' });
    await expect(future.done).rejects.toThrow('the socket is closed');
  });
});
