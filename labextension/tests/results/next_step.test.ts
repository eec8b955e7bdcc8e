import { describe, expect, it } from 'vitest';

import { fold } from '../../src/results/next_step';

const LONG = 'the slope is wrong '.repeat(20);

describe('an explanation', () => {
  it('that is short is shown whole', () => {
    expect(fold('add(1, 2) is 3')).toEqual(['add(1, 2) is 3', '']);
  });

  it.each([
    ['of many words', LONG],
    ['without spaces', 'x'.repeat(500)],
    ['of several lines', 'wrong\nbecause of this\nand of that'],
    ['of characters of two units', '🙂'.repeat(200)],
    ['that begins with a long word', `${'x'.repeat(139)} and more ${LONG}`],
  ])('%s is folded, and nothing is lost', (_, text) => {
    const [beginning, rest] = fold(text);
    expect(beginning + rest).toBe(text);
    expect(rest).not.toBe('');
    expect(beginning.length).toBeLessThan(145);
    expect(beginning).not.toContain('\n');
    expect(beginning.isWellFormed()).toBe(true);
  });

  it('is folded between two words', () => {
    expect(fold(LONG)[0]).toMatch(/ (?:the|slope|is|wrong)$/);
  });

  it('that ends with a line break is not folded', () => {
    expect(fold('wrong\n')).toEqual(['wrong\n', '']);
  });
});
