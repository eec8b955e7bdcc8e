/** Base64 by the browser's functions, and in browsers without them. */
import { afterEach, describe, expect, it } from 'vitest';

import { fromBase64, toBase64 } from '../../src/runtime/base64';

const native = {
  toBase64: Object.getOwnPropertyDescriptor(Uint8Array.prototype, 'toBase64'),
  fromBase64: Object.getOwnPropertyDescriptor(Uint8Array, 'fromBase64'),
};

function define(names: { toBase64?: PropertyDescriptor; fromBase64?: PropertyDescriptor }): void {
  Reflect.deleteProperty(Uint8Array.prototype, 'toBase64');
  Reflect.deleteProperty(Uint8Array, 'fromBase64');
  if (names.toBase64) {
    Object.defineProperty(Uint8Array.prototype, 'toBase64', names.toBase64);
  }
  if (names.fromBase64) {
    Object.defineProperty(Uint8Array, 'fromBase64', names.fromBase64);
  }
}

/** The browser's functions, where this engine lacks them. */
const ours = {
  toBase64: {
    configurable: true,
    value(this: Uint8Array) {
      return Buffer.from(this).toString('base64');
    },
  },
  fromBase64: { configurable: true, value: (text: string) => new Uint8Array(Buffer.from(text, 'base64')) },
};

afterEach(() => define(native));

describe.each([
  ['with the functions of the browser', ours],
  ['without them', {}],
])('base64 %s', (_name, functions) => {
  it.each([0, 1, 2, 3, 255, 0x8000, 0x8001, 300_000])('of %i bytes comes back', length => {
    define(functions);
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) % 256);
    const text = toBase64(bytes);
    expect(text).toBe(Buffer.from(bytes).toString('base64'));
    expect(Buffer.compare(fromBase64(text), bytes)).toBe(0);
  });
});
