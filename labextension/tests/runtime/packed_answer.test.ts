/** Values and bytes that cross between page and worker arrive unchanged. */
import { describe, expect, it } from 'vitest';

import { fromBase64, toBase64 } from '../../src/runtime/base64';
import { packAnswer, unpackAnswer } from '../../src/runtime/packed_answer';

const counting = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => i % 251);

describe('a packed answer', () => {
  it.each([
    null,
    'text € 😀',
    { ok: false, errno: 'ENOENT', message: 'no' },
    { ok: true, value: ['a', 'b'] },
    { ok: true, value: { data: new Uint8Array(0) } },
    { ok: true, value: { data: counting(100_000), format: 'base64' } },
    [counting(3), { nested: [counting(5)] }],
  ])('is unpacked to the same value: %#', value => expect(unpackAnswer(packAnswer(value))).toEqual(value));

  it('is unpacked from the middle of a buffer', () => {
    const packed = packAnswer({ data: counting(7) });
    const around = new Uint8Array(packed.length + 20);
    around.set(packed, 9);
    expect(unpackAnswer(around.subarray(9, 9 + packed.length))).toEqual({ data: counting(7) });
  });

  it('leaves alone an object of the user that only looks like bytes', () => {
    expect(unpackAnswer(packAnswer({ $bytes: 'text' }))).toEqual({ $bytes: 'text' });
  });
});

describe('base64', () => {
  it.each([0, 1, 2, 3, 0x7fff, 0x8000, 0x8001, 100_000])('gives %i bytes back', size => {
    expect(fromBase64(toBase64(counting(size)))).toEqual(counting(size));
  });

  it('is the one that others write', () => {
    expect(toBase64(new TextEncoder().encode('Grüße'))).toBe(Buffer.from('Grüße').toString('base64'));
  });

  it('that is none is an error', () => expect(() => fromBase64('*')).toThrow());
});
