import { expect, test } from 'vitest';

import { merge } from '../../src/results/cells';
import { type AssertionsContent, readAssertions } from '../../src/runtime/events';

const COUNTS = { pass: 1, fail: 0, error: 0 };

function read(points?: unknown): AssertionsContent | null {
  return readAssertions({
    assertions: [{ kind: 'pass', name: 'a' }],
    counts: COUNTS,
    ...(points === undefined ? {} : { points }),
  });
}

test('sums of points are read where they are whole, and left out where not', () => {
  expect(read({ earned: 1, possible: 2.5 })?.points).toEqual({ earned: 1, possible: 2.5 });
  for (const bad of [
    undefined,
    null,
    3,
    {},
    { earned: 1 },
    { earned: -1, possible: 2 },
    { earned: '1', possible: 2 },
  ]) {
    expect(read(bad)).toEqual({ assertions: [{ kind: 'pass', name: 'a' }], counts: COUNTS });
  }
});

test('points of several cells are added up; without any there is no sum', () => {
  const some = read({ earned: 1, possible: 2 }) as AssertionsContent;
  const none = read() as AssertionsContent;
  expect(merge([some, none, some]).points).toEqual({ earned: 2, possible: 4 });
  expect(merge([none, none])).not.toHaveProperty('points');
});
