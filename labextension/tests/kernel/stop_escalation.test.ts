/** From an interrupt to a restart, step by step. */
import type { KernelMessage } from '@jupyterlab/services';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { FrontEnd } from '../../src/kernel/front_end';
import type { KernelWorker } from '../../src/kernel/kernel_options';
import { OpenRequest } from '../../src/kernel/open_request';
import { StopEscalation } from '../../src/kernel/stop_escalation';

function make(canInterrupt = true, msg_type = 'execute_request') {
  const frontEnd = { publish: vi.fn() } as unknown as FrontEnd;
  const message = { channel: 'shell', header: { msg_id: 'm', msg_type }, content: {} } as KernelMessage.IMessage;
  const state = { current: new OpenRequest(message, frontEnd, () => undefined) as OpenRequest | null };
  const interrupt = vi.fn();
  const withdraw = vi.fn();
  const kernel = {
    current: () => state.current,
    worker: () => ({ canInterrupt, interrupt }) as unknown as KernelWorker,
    stopHard: vi.fn(),
    onUnresponsive: vi.fn((_restart: () => void) => withdraw),
  };
  return { ...kernel, escalation: new StopEscalation(kernel), interrupt, state, withdraw };
}

describe('the end of a message at work', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('by Stop is an interrupt, then after a second a question, which starts Python anew', () => {
    const { escalation, interrupt, onUnresponsive, state, stopHard } = make();
    escalation.interrupt();
    expect(interrupt).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(999);
    expect(onUnresponsive).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    onUnresponsive.mock.calls[0][0]();
    expect(stopHard).toHaveBeenCalledWith(
      state.current,
      'KernelRestarted',
      expect.stringContaining('variables are lost'),
    );
  });

  it('by Stop asks at once where nothing can be interrupted, and only once', () => {
    const { escalation, onUnresponsive } = make(false);
    escalation.interrupt();
    escalation.interrupt();
    vi.advanceTimersByTime(5000);
    expect(onUnresponsive).toHaveBeenCalledTimes(1);
  });

  it('takes back the question when the message is done by itself', () => {
    const { escalation, onUnresponsive, withdraw } = make();
    escalation.interrupt();
    vi.advanceTimersByTime(1000);
    escalation.reset();
    expect(withdraw).toHaveBeenCalledTimes(1);
    escalation.interrupt();
    escalation.reset();
    vi.advanceTimersByTime(5000);
    expect(onUnresponsive).toHaveBeenCalledTimes(1);
  });

  it('by a limit is an interrupt, then many, then a restart', () => {
    const { escalation, interrupt, state, stopHard } = make();
    escalation.limit(2000);
    vi.advanceTimersByTime(1999);
    expect(interrupt).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(interrupt).toHaveBeenLastCalledWith({ limitMs: 2000 });
    vi.advanceTimersByTime(250);
    expect(interrupt).toHaveBeenLastCalledWith({ limitMs: 2000, storm: true });
    vi.advanceTimersByTime(2749);
    expect(stopHard).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(stopHard.mock.calls).toEqual([
      [state.current, 'CellTimeoutError', expect.stringContaining('longer than its limit of 2 s')],
    ]);
  });

  it('by a limit is a restart at once where nothing can be interrupted', () => {
    const { escalation, interrupt, stopHard } = make(false);
    escalation.limit(2000);
    vi.advanceTimersByTime(2000);
    expect([interrupt.mock.calls.length, stopHard.mock.calls.length]).toEqual([0, 1]);
  });

  it('by the host shows the host’s reason, and that alone', () => {
    const { escalation, interrupt, state, stopHard } = make();
    escalation.end('OutputLimitError', 'too much');
    escalation.end('OtherError', 'later');
    expect(state.current!.ended).toEqual({ ename: 'OutputLimitError', evalue: 'too much' });
    vi.advanceTimersByTime(1000);
    expect(interrupt.mock.calls).toEqual([[], [{ storm: true }]]);
    expect(stopHard.mock.calls[0].slice(1)).toEqual(['OutputLimitError', expect.stringMatching(/^too much\. /)]);
  });

  it('by the host concerns cells alone', () => {
    const { escalation, interrupt } = make(true, 'complete_request');
    escalation.end('OutputLimitError', 'too much');
    expect(interrupt).not.toHaveBeenCalled();
  });

  it('comes to nothing when another message is at work, or its answer is complete', () => {
    const { escalation, stopHard, state } = make(false);
    escalation.limit(10);
    state.current!.close();
    vi.advanceTimersByTime(100);
    escalation.limit(10);
    state.current = null;
    vi.advanceTimersByTime(100);
    escalation.limit(10);
    expect(stopHard).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});
