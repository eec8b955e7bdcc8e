import { describe, expect, it } from 'vitest';

import { readOrigin } from '../../src/results/parent';

describe('the origin of the embedding page', () => {
  it.each(['https://school.example', 'http://127.0.0.1:8000'])('%s is taken', value =>
    expect(readOrigin(value)).toBe(value),
  );
  it.each([
    '*', '/', '', 'null', 'school.example', 'https://school.example/', 'https://school.example/path',
    'HTTPS://school.example', 'https://school.example:443', 'javascript:alert(1)', 'file:///x', 'data:,', 1, null, ['https://a.example'],
  ])('%j is refused', value => expect(readOrigin(value)).toBeNull());
});
