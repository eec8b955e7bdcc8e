import { expect, it, vi } from 'vitest';

import { LongTexts } from '../../src/runtime/worker/long_texts';
import type { Env } from '../../src/runtime/worker/wasm_imports';

const ADDRESS = 64;
const memory = new WebAssembly.Memory({ initial: 1, maximum: 64 });

/** A function of Pyodide: makes a string of characters of some bytes each. */
function pyodides(width: 1 | 2 | 4) {
  const convert = vi.fn((address: number, length: number) => {
    const heap = new { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[width](memory.buffer);
    return Array.from(heap.subarray(address / width, address / width + length), code =>
      width === 4 ? String.fromCodePoint(code) : String.fromCharCode(code),
    ).join('');
  });
  return Object.assign(convert, { sig: 'eii' });
}

function placed(used = true) {
  const originals = { 1: pyodides(1), 2: pyodides(2), 4: pyodides(4) };
  const env: Env = {
    _python2js_ucs1: originals[1],
    _python2js_ucs2: originals[2],
    _python2js_ucs4: originals[4],
  };
  const texts = new LongTexts();
  texts.place(env);
  if (used) {
    texts.use(memory);
  }
  return { env, originals };
}

/** Converts a text as CPython stores it. @returns the string, and whether Pyodide's own function made it. */
function convert(text: string, width: 1 | 2 | 4, used = true): [string, boolean] {
  const { env, originals } = placed(used);
  const codes =
    width === 4
      ? Array.from(text, character => character.codePointAt(0)!)
      : text.split('').map(one => one.charCodeAt(0));
  new ({ 1: Uint8Array, 2: Uint16Array, 4: Uint32Array })[width](memory.buffer).set(codes, ADDRESS / width);
  const function_ = env[`_python2js_ucs${width}`] as (address: number, length: number) => string;
  const made = function_(ADDRESS, codes.length);
  return [made, originals[width].mock.calls.length > 0];
}

const every = (from: number, to: number): string =>
  String.fromCharCode(...Array.from({ length: to - from }, (_, i) => from + i));

it.each([
  ['ASCII', 'a line\n'.repeat(900), 1],
  ['letters with accents', 'fünf Äpfel, \xa0\xff\n'.repeat(90), 1],
  ['two bytes', '漢字 and ﬁ \ufeff\uffff'.repeat(90), 2],
  ['pairs of surrogates in two bytes', '😀'.repeat(300), 2],
  ['four bytes', 'one 😀 two 🎉 '.repeat(900), 4],
] as const)('a long text of %s is made at once', (_name, text, width) => {
  expect(convert(text, width)).toEqual([text, false]);
});

it.each([
  ['a lone surrogate', `${'漢'.repeat(300)}\ud83d`, 2],
  ['a short text', 'short', 1],
] as const)('%s: Pyodide makes the text', (_name, text, width) => {
  expect(convert(text, width)).toEqual([text, true]);
});

it('control characters that the web\'s "latin1" has not stay', () => {
  const text = every(0, 256).repeat(2);
  expect(convert(text, 1)[0]).toBe(text);
});

it('Pyodide makes all texts until the memory is known', () => {
  expect(convert('a'.repeat(300), 1, false)).toEqual(['a'.repeat(300), true]);
});

it('lone surrogates in four bytes stay', () => {
  const { env } = placed();
  const codes = [...Array(300).fill(0x1f600), 0xdc00];
  new Uint32Array(memory.buffer).set(codes, ADDRESS / 4);
  const made = (env._python2js_ucs4 as (address: number, length: number) => string)(ADDRESS, codes.length);
  expect(made).toBe(`${'😀'.repeat(300)}\udc00`);
});

it('functions that return a number for a string stay, and those that are not there', () => {
  const old = Object.assign(() => 1, { sig: 'iii' });
  const env: Env = { _python2js_ucs1: old };
  new LongTexts().place(env);
  expect(env).toEqual({ _python2js_ucs1: old });
});
