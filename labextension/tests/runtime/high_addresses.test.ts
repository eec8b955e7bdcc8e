import { expect, it, vi } from 'vitest';

import { takeHighAddresses } from '../../src/runtime/worker/high_addresses';
import type { Env } from '../../src/runtime/worker/wasm_imports';

it('functions get addresses above 2 GB as positive numbers', () => {
  const ascii = Object.assign(
    vi.fn((address: number, length: number) => `${length} characters at ${address}`),
    { sig: 'eii' },
  );
  const assign = vi.fn();
  const env: Env = { _python2js_ascii: ascii, JsvBuffer_assignToPtr: assign, other: assign };
  takeHighAddresses(env);
  const call = env._python2js_ascii as (...values: unknown[]) => unknown;
  expect(call(-2_147_429_824, 100)).toBe('100 characters at 2147537472');
  expect(call(64, 100)).toBe('100 characters at 64');
  expect((env._python2js_ascii as { sig?: string }).sig).toBe('eii');
  const buffer = {};
  (env.JsvBuffer_assignToPtr as (...values: unknown[]) => unknown)(buffer, -1);
  expect(assign).toHaveBeenCalledWith(buffer, 2 ** 32 - 1);
  expect(env.other).toBe(assign);
  expect('JsvBuffer_assignFromPtr' in env).toBe(false);
});
