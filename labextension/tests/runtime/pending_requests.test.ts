import { describe, expect, it } from 'vitest';

import { BrowsergradError } from '../../src/runtime/errors';
import { PendingRequests } from '../../src/runtime/pending_requests';
import type { ToWorker } from '../../src/runtime/protocol';

function make() {
  const pending = new PendingRequests();
  const sent: ToWorker[] = [];
  const send = (message: ToWorker): void => void sent.push(message);
  const run = () => {
    const epoch = pending.takeEpoch();
    return pending.add(id => ({ type: 'exec', id, epoch, code: '', loadImports: false }), send);
  };
  const clear = () => pending.add(id => ({ type: 'clear', id }), send);
  return { clear, pending, run, sent };
}

describe('pending requests', () => {
  it('have ids and epochs of their own', () => {
    const { clear, run, sent } = make();
    void run();
    void clear();
    void run();
    expect(sent.map(message => [message.type, (message as { id: number }).id])).toEqual([
      ['exec', 1],
      ['clear', 2],
      ['exec', 3],
    ]);
    expect(sent.flatMap(message => ('epoch' in message ? [message.epoch] : []))).toEqual([1, 2]);
  });

  it('are interrupted in the order they were sent', async () => {
    const { clear, pending, run } = make();
    expect(pending.oldestEpoch).toBe(0);
    void clear();
    expect(pending.oldestEpoch).toBe(0);
    const first = run();
    void run();
    expect(pending.oldestEpoch).toBe(1);
    pending.resolve(2, 'done');
    expect(await first).toBe('done');
    expect(pending.oldestEpoch).toBe(2);
  });

  it('settle once; what nobody waits for is ignored', async () => {
    const { pending, run } = make();
    const only = run();
    pending.resolve(9, null);
    pending.reject(9, new BrowsergradError('nobody'));
    pending.reject(1, new BrowsergradError('file', 'no such file'));
    pending.resolve(1, 'late');
    await expect(only).rejects.toMatchObject({ code: 'file', message: 'no such file' });
  });

  it('are all rejected when their worker ends', async () => {
    const { clear, pending, run } = make();
    const all = [run(), clear(), run()];
    const error = new BrowsergradError('worker-crash', 'out of memory');
    pending.rejectAll(error);
    expect(await Promise.allSettled(all)).toEqual(all.map(() => ({ status: 'rejected', reason: error })));
    expect(pending.oldestEpoch).toBe(0);
  });
});
