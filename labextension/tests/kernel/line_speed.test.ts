/** How fast the line is, by what has been fetched. */
import { afterEach, describe, expect, it, vi } from 'vitest';

import { isSlowLine, rateOf, type Fetched } from '../../src/kernel/line_speed';

const file = (responseStart: number, responseEnd: number, transferSize: number): Fetched => ({
  responseStart,
  responseEnd,
  transferSize,
});

describe('rateOf', () => {
  it('divides bytes by the time in which any file came', () => {
    expect(rateOf([file(100, 1100, 625_000)])).toBe(5);
    expect(rateOf([file(600, 1100, 312_500), file(100, 1100, 312_500)])).toBe(5); // at the same time
    expect(rateOf([file(100, 600, 312_500), file(9000, 9500, 312_500)])).toBe(5); // with a pause
    expect(rateOf([file(100, 1100, 500_000), file(200, 300, 125_000)])).toBe(5); // one within the other
  });

  it('counts nothing that came from the cache, or whose times the browser hides', () => {
    expect(rateOf([file(100, 1100, 625_000), file(2000, 9000, 0), file(0, 9000, 1_000_000)])).toBe(5);
  });

  it('does not judge by few bytes', () => {
    expect(rateOf([])).toBeNull();
    expect(rateOf([file(0.5, 10_000, 20_000)])).toBeNull();
    expect(rateOf([file(5, 5, 900_000)])).toBeNull();
  });
});

describe('isSlowLine', () => {
  afterEach(() => vi.unstubAllGlobals());
  const visit = (files: (Fetched & { name: string })[], saveData = false): void => {
    vi.stubGlobal('performance', { getEntriesByType: () => files });
    vi.stubGlobal('location', { origin: 'https://lab.example' });
    vi.stubGlobal('navigator', { connection: { saveData } });
  };

  it.each([
    [5, true],
    [20, false],
  ])('judges a line of %d Mbit/s', (mbit, isSlow) => {
    visit([{ ...file(100, 1100, mbit * 125_000), name: 'https://lab.example/build/a.js' }]);
    expect(isSlowLine()).toBe(isSlow);
  });

  it('does not judge by other hosts', () => {
    visit([{ ...file(100, 9100, 900_000), name: 'https://other.example/a.js' }]);
    expect(isSlowLine()).toBe(false);
  });

  it('saves data for users who wish that', () => {
    visit([], true);
    expect(isSlowLine()).toBe(true);
  });
});
