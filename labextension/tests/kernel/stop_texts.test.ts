/** The status bar's text about Stop is true of its page. */
import { afterEach, describe, expect, it, vi } from 'vitest';

import { stopTexts } from '../../src/kernel/stop_texts';
import { canShare } from '../../src/runtime/sharing';

afterEach(() => vi.unstubAllGlobals());

describe('memory is shared', () => {
  it.each<[string, boolean | undefined, unknown, boolean]>([
    ['in an isolated page', true, SharedArrayBuffer, true],
    ['where there are no pages', undefined, SharedArrayBuffer, true],
    ['not in a page that is not isolated', false, SharedArrayBuffer, false],
    ['not in a browser that has no such memory', true, undefined, false],
  ])('%s', (_, crossOriginIsolated, memory, expected) => {
    vi.stubGlobal('crossOriginIsolated', crossOriginIsolated);
    vi.stubGlobal('SharedArrayBuffer', memory);
    expect(canShare()).toBe(expected);
  });
});

describe('the tooltip of Stop', () => {
  it.each<[boolean, unknown, string]>([
    [true, SharedArrayBuffer, 'The page is cross-origin isolated: '],
    [false, SharedArrayBuffer, 'The page is not cross-origin isolated: '],
    [true, undefined, 'The page is cross-origin isolated, but this browser cannot share memory with Python: '],
  ])('isolated %s, shared memory %s', (crossOriginIsolated, memory, why) => {
    vi.stubGlobal('crossOriginIsolated', crossOriginIsolated);
    vi.stubGlobal('SharedArrayBuffer', memory);
    const [label, tooltip] = stopTexts('stack-switching');
    expect(label).toBe('Stop: within a moment');
    expect(tooltip.startsWith(why)).toBe(true);
  });
});
