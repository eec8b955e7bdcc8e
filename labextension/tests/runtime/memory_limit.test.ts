import { expect, it, vi } from 'vitest';

import { limitMemory } from '../../src/runtime/worker/memory_limit';

it('lets the memory grow up to the limit', () => {
  const grow = Object.assign(
    vi.fn(() => true),
    { sig: 'ip' },
  );
  const env: Record<string, unknown> = { emscripten_resize_heap: grow };
  limitMemory(env as WebAssembly.ModuleImports, 100);
  const limited = env.emscripten_resize_heap as typeof grow & ((bytes: number) => boolean);
  const MB = 2 ** 20;
  // It may grow by a fifth more than was asked for.
  expect([83 * MB, 84 * MB, 100 * MB, (3 * 1024 * MB) | 0].map(bytes => limited(bytes))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  expect(grow.mock.calls).toEqual([[83 * MB]]);
  expect(limited.sig).toBe('ip');
});

it('counts what large memories grow by', () => {
  const grow = vi.fn(() => true);
  const env: Record<string, unknown> = { emscripten_resize_heap: grow };
  limitMemory(env as WebAssembly.ModuleImports, 1024);
  const limited = env.emscripten_resize_heap as (bytes: number) => boolean;
  expect([928, 929].map(megabytes => limited(megabytes * 2 ** 20))).toEqual([true, false]);
});

it('leaves modules alone that grow no memory', () => {
  const env = {};
  limitMemory(env, 100);
  expect(env).toEqual({});
});
