/** Whether a spare Python is kept. */
import { afterEach, expect, it, vi } from 'vitest';

import { mayPrewarm, type PrewarmChoice } from '../../src/kernel/spare';

afterEach(() => vi.unstubAllGlobals());

const SAFARI =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15';

it.each<[PrewarmChoice, boolean | undefined, number | undefined, string, boolean, number?]>([
  ['auto', undefined, 8, '', true],
  ['auto', undefined, 2, '', false],
  ['auto', undefined, undefined, 'Firefox', true],
  ['auto', undefined, undefined, 'Mobile Safari', false],
  ['auto', undefined, undefined, SAFARI, true, 0],
  ['auto', undefined, undefined, SAFARI, false, 5],
  ['auto', true, undefined, SAFARI, true, 5],
  ['auto', undefined, undefined, 'Firefox on Windows', true, 10],
  ['auto', undefined, undefined, 'Firefox on Android, a tablet', false, 5],
  ['auto', true, 2, '', true],
  ['auto', false, 8, '', false],
  ['always', false, 2, '', true],
  ['never', true, 8, '', false],
])('user %s, site %s, %s GB, %s: %s', (user, site, deviceMemory, userAgent, expected, maxTouchPoints = 0) => {
  vi.stubGlobal('navigator', { deviceMemory, userAgent, maxTouchPoints });
  expect(mayPrewarm(site, user)).toBe(expected);
});
