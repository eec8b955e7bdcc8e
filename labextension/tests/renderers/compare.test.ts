import { describe, expect, it } from 'vitest';

import { compareReprs } from '../../src/renderers/compare';
import { readRepr } from '../../src/renderers/repr';
import { readSeries } from '../../src/renderers/series';

/** A repr as plain data: each container is a list of its items. */
function shape(text: string): unknown {
  const strip = (value: ReturnType<typeof readRepr>): unknown => {
    if (!value) {
      return null;
    }
    if ('items' in value) {
      return [value.type, ...value.items.map(strip)];
    }
    if ('entries' in value) {
      return [value.type, ...value.entries.map(([k, v]) => [strip(k), strip(v)])];
    }
    return 'value' in value ? value.value : value.raw;
  };
  return strip(readRepr(text));
}

describe('a repr is read without evaluating it', () => {
  it.each([
    ['1', 1],
    ['-1_000.5e3', -1000500],
    ['inf', Infinity],
    ['nan', NaN],
    ["'a\\'b\\n\\x41\\u00e9'", "a'b\nAé"],
    ['"it\'s"', "it's"],
    ['None', 'None'],
    ['[]', ['list']],
    ['(1,)', ['tuple', 1]],
    ["{1, 'a'}", ['set', 1, 'a']],
    ['{}', ['dict']],
    ["{'a': [1, {2: None}]}", ['dict', ['a', ['list', 1, ['dict', [2, 'None']]]]]],
    ["[Point(x=1, y='a,b'), <object at 0x7f>]", ['list', "Point(x=1, y='a,b')", '<object at 0x7f>']],
    ['array([1, 2])', 'array([1, 2])'],
    ['datetime.date(2020, 1, 1)', 'datetime.date(2020, 1, 1)'],
    ["b'x'", "b'x'"],
    ['1.5j', '1.5j'],
  ])('%s', (text, value) => expect(shape(text)).toEqual(value));

  it.each(['', '[', '[1', '{1: 2, 3}', '[1 2]', "'open", '[1, 2] 3', ')', '['.repeat(9000), '"\\'])(
    'leaves %s to be compared as text',
    text => expect(readRepr(text)).toBeNull(),
  );
});

describe('what differs', () => {
  it('is named by path in lists and dicts', () => {
    const found = compareReprs("{'a': [1, 2], 'b': 1}", "{'a': [1, 3], 'c': 1}");
    expect(
      found.as === 'paths' && found.differences.map(({ path, expected, actual }) => [path, expected, actual]),
    ).toEqual([
      ["['a'][1]", '2', '3'],
      ["['b']", '1', undefined],
      ["['c']", undefined, '1'],
    ]);
  });
  it('is one item where one was left out', () => {
    const found = compareReprs('[1, 2, 3, 4]', '[1, 3, 4]');
    expect(found).toEqual({ as: 'paths', differences: [{ path: '[1]', expected: '2' }], left: 0 });
  });
  it('is measured of numbers', () => {
    const found = compareReprs('0.3', '0.30000000000000004');
    expect(found.as === 'number' && found.absolute).toBeCloseTo(5.55e-17, 18);
  });
  it('is listed up to a limit', () => {
    const list = (value: number): string => `[${Array.from({ length: 500 }, () => value)}]`;
    const found = compareReprs(list(1), list(2));
    expect(found.as === 'paths' && [found.differences.length, found.left]).toEqual([100, 400]);
  });
  it.each([
    ['[1]', '(1,)'],
    ['[', ']'],
    ["'a'", "'b'"],
    ["{'a': 1, 'b': 2}", "{'b': 2, 'a': 1}"],
  ])('of %s and %s is shown as text', (one, other) => expect(compareReprs(one, other).as).toBe('text'));
});

describe('series of numbers', () => {
  it('are drawn over x', () => {
    const found = readSeries({ x: [0, 2, 4], loss: [3, null, 1], note: 'n' });
    expect(found?.x.values).toEqual([0, 2, 4]);
    expect(found?.lines.map(line => line.name)).toEqual(['loss']);
  });
  it('are drawn over their index without one that rises', () => {
    expect(readSeries({ x: [3, 1], loss: [1, 2] })?.lines.length).toBe(2);
    expect(readSeries([1, 2])?.x.values).toEqual([0, 1]);
  });
  it.each([
    [null],
    [1],
    [{}],
    [['a', 'b']],
    [[1]],
    [{ a: [1, 2], b: [1, 2, 3] }],
    [{ a: [1, '2'] }],
    [{ a: [null, null] }],
  ])('are not found in %j', data => expect(readSeries(data)).toBeNull());
});
