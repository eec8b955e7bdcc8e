/** Each call that Python makes to the worker reaches the part that handles it. */
import { describe, expect, it, vi } from 'vitest';

import type { FromWorker } from '../../src/runtime/protocol';
import { hostModule, type HostParts } from '../../src/runtime/worker/host_module';

type Host = Record<string, (...args: unknown[]) => unknown>;

function make() {
  const order: string[] = [];
  const posted: FromWorker[] = [];
  const spies = (...names: string[]) =>
    Object.fromEntries(names.map(name => [name, vi.fn((..._args: unknown[]) => void order.push(name))]));
  const interrupts = {
    ...spies('begin', 'end', 'tick'),
    clock: { isSlow: true },
    mode: 'shared-memory',
    scheduler: { schedule: vi.fn() },
    wait: { until: (ms: number) => (ms < 0 ? 'interrupted' : 'timeout') },
  };
  const output = { ...spies('message', 'setParent', 'write', 'flush', 'endRequest'), hasRoom: () => true };
  const calls = { ...spies('clearInput'), waitForRoom: vi.fn(() => 'interrupt'), waitInput: () => 'line' };
  const packages = { ...spies('load', 'note'), loadImports: () => undefined, missingFor: () => 'numpy' };
  const parts = {
    interrupts,
    output,
    calls,
    packages,
    post: (message: FromWorker) => void posted.push(message),
    ...spies('guardStack', 'saveOpenFiles'),
    canSuspend: () => true,
  };
  return { host: hostModule(parts as unknown as HostParts) as Host, order, output, packages, posted };
}

/** A Python object, as JavaScript gets it. */
const python = (value: unknown) => ({ toJs: () => value });

describe('the module for Python', () => {
  it('guards the stack before a request begins, and saves files before it ends', () => {
    const { host, order } = make();
    host.begin(1, true);
    host.end(1);
    expect(order).toEqual(['guardStack', 'begin', 'saveOpenFiles', 'end']);
  });

  it('copies the buffers of a message: Python’s memory moves', () => {
    const { host, output } = make();
    const whole = new Uint8Array([1, 2, 3, 4]);
    host.publish('{}', python([whole.subarray(1, 3)]));
    host.publish('{}', null);
    whole.fill(0);
    const [[, [copy]], second] = output.message.mock.calls as [[string, ArrayBuffer[]], [string, ArrayBuffer[]]];
    expect([...new Uint8Array(copy)]).toEqual([2, 3]);
    expect(second).toEqual(['{}', []]);
  });

  it('ends a request’s output, or only sends what there is', () => {
    const { host, order } = make();
    host.flush();
    host.flush(true);
    expect(order).toEqual(['flush', 'endRequest']);
  });

  it('tells the page of limits, warnings and work ahead of need', () => {
    const { host, posted } = make();
    host.limit(500);
    host.log('careful');
    host.offer_ahead();
    expect(posted).toEqual([
      { type: 'limit', ms: 500 },
      { type: 'log', level: 'warning', text: 'careful' },
      { type: 'ahead' },
    ]);
  });

  it('answers Python’s questions', () => {
    const { host } = make();
    expect([host.wait(-1), host.wait(5)]).toEqual([true, false]);
    expect([host.wait_mode(), host.slow_clock(), host.can_suspend()]).toEqual(['shared-memory', true, true]);
    expect([host.room(), host.input_wait(), host.package_of('x')]).toEqual(['interrupt', 'line', 'numpy']);
    expect(host.packages_from_imports('1')).toBeUndefined();
  });

  it('loads the packages of a Python list', async () => {
    const { host, packages } = make();
    await host.load_packages(python(['a', 'b']));
    expect(packages.load).toHaveBeenCalledWith(['a', 'b']);
  });
});
