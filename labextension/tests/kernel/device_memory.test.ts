/** How much memory Python may take. */
import { afterEach, expect, it, vi } from 'vitest';

import { memoryLimit } from '../../src/kernel/device_memory';

afterEach(() => vi.unstubAllGlobals());

it.each<[unknown, number | undefined, string, number | undefined]>([
  [undefined, 2, '', 1024],
  [undefined, 4, '', 2048],
  [undefined, 8, '', undefined],
  [undefined, undefined, 'Firefox', undefined],
  [undefined, undefined, 'Mobile Safari', 1024],
  [300, 2, '', 300],
  [300, undefined, 'Firefox', 300],
  [1, 8, '', 128],
  [0, 2, '', undefined],
  [0, undefined, 'Mobile Safari', undefined],
  ['300', 2, '', 1024],
  [-1, 8, '', undefined],
  [NaN, 4, '', 2048],
])('site %s, %s GB, %s: %s', (site, deviceMemory, userAgent, expected) => {
  vi.stubGlobal('navigator', { deviceMemory, userAgent, maxTouchPoints: 0 });
  expect(memoryLimit(site)).toBe(expected);
});
