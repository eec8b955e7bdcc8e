/**
 * Makes JavaScript strings of long Python strings at once. Pyodide appends one character after the other: that takes 0.1 s for 10 MB, and much memory.
 */
import type { Env } from './wasm_imports';

/** Makes a string of `length` characters at `address`. The names of these functions say how many bytes each character has. */
type Convert = (address: number, length: number) => unknown;

/** Number of characters from which a string is long. For shorter ones, Pyodide's functions are as quick. */
const LONG = 256;
/** Most characters that a call gets as arguments. */
const ARGUMENTS = 4096;
const BEYOND_LATIN1 = /[^\0-\xff]/;

export class LongTexts {
  private memory: WebAssembly.Memory | null = null;
  /** The web's "latin1": it has other characters at 0x80 to 0x9f, all of them beyond Latin-1. */
  private readonly latin1 = new TextDecoder('latin1');
  /** Fails on lone surrogates, which JavaScript's strings can hold. */
  private readonly utf16 = new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true });

  /** Takes the place of Pyodide's functions. Pyodide 0.28 and later import functions that return a string. */
  place(env: Env): void {
    this.placeOne(env, '_python2js_ucs1', 1, bytes => {
      const text = this.latin1.decode(bytes);
      return BEYOND_LATIN1.test(text) ? undefined : text;
    });
    this.placeOne(env, '_python2js_ucs2', 2, bytes => this.utf16.decode(bytes));
    this.placeOne(env, '_python2js_ucs4', 4, bytes => {
      const characters = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
      let text = '';
      for (let at = 0; at < characters.length; at += ARGUMENTS) {
        text += String.fromCodePoint(...characters.subarray(at, at + ARGUMENTS));
      }
      return text;
    });
  }

  /** Begins to convert long strings in `memory`, Python's own. */
  use(memory: WebAssembly.Memory | undefined): void {
    this.memory = memory ?? null;
  }

  /** @param decode - returns undefined, or throws, if Pyodide's own function is needed. */
  private placeOne(env: Env, name: string, width: number, decode: (bytes: Uint8Array) => string | undefined): void {
    const convert = env[name] as (Convert & { sig?: string }) | undefined;
    // 'e': it returns the string itself. Older ones return a number that stands for it.
    if (typeof convert !== 'function' || !convert.sig?.startsWith('e')) {
      return;
    }
    env[name] = (address: number, length: number) => {
      if (length >= LONG && this.memory) {
        try {
          const text = decode(new Uint8Array(this.memory.buffer, address >>> 0, length * width));
          if (text !== undefined) {
            return text;
          }
        } catch {
          // Not every string can be decoded.
        }
      }
      return convert(address, length);
    };
  }
}
