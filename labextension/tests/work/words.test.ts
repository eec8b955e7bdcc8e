import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { sizeText } from '../../src/work/words';

describe('a size', () => {
  it.each([
    [0, '0 kB'],
    [1, '1 kB'],
    [48_100, '49 kB'],
    [999_999, '1000 kB'],
    [1_000_000, '1.0 MB'],
    [63_960_000, '64.0 MB'],
  ])('of %i bytes is %s', (bytes, text) => {
    expect(sizeText(bytes, nullTranslator.load(''))).toBe(text);
  });
});
