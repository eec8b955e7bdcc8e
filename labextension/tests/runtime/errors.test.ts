import { describe, expect, it } from 'vitest';

import { BrowsergradError } from '../../src/runtime/errors';

describe('BrowsergradError', () => {
  const cause = new Error('before');

  it.each([
    [new BrowsergradError('text'), 'internal', 'text', undefined],
    [new BrowsergradError('text', { cause }), 'internal', 'text', cause],
    [new BrowsergradError('busy', 'text'), 'busy', 'text', undefined],
    [new BrowsergradError('busy', 'text', { cause }), 'busy', 'text', cause],
    [new BrowsergradError('busy', ''), 'busy', '', undefined],
  ])('takes a text alone or a code before it: %#', (error, code, message, why) => {
    expect(error).toMatchObject({ name: 'BrowsergradError', code, message });
    expect(error.cause).toBe(why);
    expect(error).toBeInstanceOf(Error);
  });
});
