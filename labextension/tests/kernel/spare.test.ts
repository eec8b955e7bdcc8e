/** Whether a spare Python is kept. */
import { afterEach, expect, it, vi } from 'vitest';

import { mayPrewarm, type PrewarmChoice } from '../../src/kernel/spare';

afterEach(() => vi.unstubAllGlobals());

it.each<[PrewarmChoice, boolean | undefined, number | undefined, string, boolean]>([
  ['auto', undefined, 8, '', true],
  ['auto', undefined, 2, '', false],
  ['auto', undefined, undefined, 'Firefox', true],
  ['auto', undefined, undefined, 'Mobile Safari', false],
  ['auto', true, 2, '', true],
  ['auto', false, 8, '', false],
  ['always', false, 2, '', true],
  ['never', true, 8, '', false],
])('user %s, site %s, %s GB, %s: %s', (user, site, deviceMemory, userAgent, expected) => {
  vi.stubGlobal('navigator', { deviceMemory, userAgent });
  expect(mayPrewarm(site, user)).toBe(expected);
});
