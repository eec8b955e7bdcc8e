import { describe, expect, it } from 'vitest';

import { thin, varints } from '../../../jupyterlite_browsergrad/boot/thin_heap.mjs';
import { addresses, fillHeap, type HeapModule } from '../../src/runtime/worker/heap_filling';

const [STRING, BYTES, CODE, OTHER] = [0x100, 0x140, 0x180, 0x1c0];
const BASE = 0x1000;
const [SBRK, STACK_END, STACK_NOW] = [0x200, 0x800, 0xc00];
const GARBAGE = 0xa5a5a5a5;
const COMPACT_ASCII = 0x64;

/** A memory with objects of CPython 3.14 in blocks of Emscripten's `malloc`. What nobody sets is garbage. */
class Memory {
  readonly words = new Uint32Array(1 << 19);
  readonly heap = new Uint8Array(this.words.buffer);
  private free = BASE;

  constructor() {
    this.words.fill(GARBAGE, BASE >>> 2);
    this.words.fill(GARBAGE, STACK_END >>> 2, STACK_NOW >>> 2);
    this.words.set([17, 1], (BYTES >>> 2) + 4);
    this.words.set([128, 2], (CODE >>> 2) + 4);
  }

  /** @returns the address of the object. */
  add(words: number[], size = 4 * words.length): number {
    const block = (size + 11) & ~7;
    this.words[(this.free + 4) >>> 2] = block | 3;
    const start = this.free + 8;
    this.words.set(words, start >>> 2);
    this.free += block;
    return start;
  }

  string(text: string, hash: number): number {
    const at = this.add([1, STRING, text.length, hash, COMPACT_ASCII | 0x12345600], 21 + text.length);
    this.heap.set([...new TextEncoder().encode(text), 0], at + 20);
    return at;
  }

  /** Objects that the garbage collector knows, in a list. @returns their addresses. */
  list(count: number): number[] {
    const objects = Array.from({ length: count }, () => this.add([0, 0, 1, OTHER, 5]) + 8);
    const ring = [...objects.keys()].map(i => objects[(i * 7) % count] - 8);
    ring.forEach((head, i) => {
      const next = ring[(i + 1) % count];
      this.words[head >>> 2] = next | 1; // with a flag
      this.words[(next >>> 2) + 1] = head;
    });
    return objects;
  }

  /** The index of a dictionary with these keys, made as CPython makes it. */
  keys(strings: number[]): number {
    const size = 1 << 16;
    const at = this.add(
      [1, (16 | (18 << 8) | (1 << 16)) >>> 0, 0, 9, strings.length],
      20 + 4 * size + 8 * strings.length,
    );
    const index = (at >>> 2) + 5;
    this.words.fill(0xffffffff, index, index + size);
    strings.forEach((key, i) => {
      let perturb = this.words[(key >>> 2) + 3];
      let slot = perturb % size;
      while (this.words[index + slot] !== 0xffffffff) {
        perturb >>>= 5;
        slot = (5 * slot + perturb + 1) % size;
      }
      this.words[index + slot] = i;
      this.words.set([key, key], index + size + 2 * i);
    });
    return at;
  }

  /** The module whose memory this is. Everything has been added. */
  module(hashes: Map<number, number>): HeapModule & Record<string, unknown> {
    this.words[SBRK >>> 2] = this.free + 40;
    return {
      HEAPU32: this.words,
      _PyObject_Hash: at => (this.words[(at >>> 2) + 3] = hashes.get(at)!),
      _PyUnicode_Type: STRING,
      _PyBytes_Type: BYTES,
      _PyCode_Type: CODE,
      ___heap_base: { value: BASE },
      _emscripten_get_sbrk_ptr: () => SBRK,
      _emscripten_stack_get_end: () => STACK_END,
      _emscripten_stack_get_current: () => STACK_NOW,
    };
  }
}

/** Strings with hashes that collide, and some that have none. */
function strings(memory: Memory): Map<number, number> {
  const hashes = new Map<number, number>();
  for (let i = 0; i < 500; i++) {
    const hash = i % 5 ? Math.imul(i % 50, 0x9e3779b1) >>> 0 : 0xffffffff;
    hashes.set(memory.string(`text ${i}`, hash), hash);
  }
  return hashes;
}

describe('what the snapshot leaves out of the memory', () => {
  it('is computed again', () => {
    const memory = new Memory();
    const hashes = strings(memory);
    const [first, second, ...others] = memory.list(20);
    const hashed = [...hashes.keys()].filter(key => hashes.get(key) !== 0xffffffff);
    const table = memory.keys(hashed);
    const module = memory.module(hashes);
    const before = memory.words.slice();

    const { links, hashes: without, tables } = thin(memory.heap, module, second);
    expect([...addresses(links)]).toEqual([first, second, ...others].map(object => object - 8));
    expect([...addresses(without)]).toEqual(hashed);
    expect(tables).toEqual([table]);
    const index = (table >>> 2) + 5;
    expect(new Set(memory.words.subarray(index, index + (1 << 16)))).toEqual(new Set([0]));

    fillHeap(module, { links, hashes: without, tables });
    expect(memory.words.subarray(index, index + (1 << 16))).toEqual(before.subarray(index, index + (1 << 16)));
    for (const [key, hash] of hashes) {
      expect(memory.words[(key >>> 2) + 3]).toBe(hash);
    }
    let at = first - 8;
    const seen = new Set<number>();
    for (; !seen.has(at); at = memory.words[at >>> 2] & ~3) {
      seen.add(at);
      expect(memory.words[at >>> 2] & 3).toBe(1);
      expect(memory.words[((memory.words[at >>> 2] & ~3) >>> 2) + 1]).toBe(at);
    }
    expect(seen.size).toBe(20);
  });

  it('is also what nobody reads', () => {
    const memory = new Memory();
    const [object] = memory.list(3);
    const text = memory.string('abc', 7);
    const bytes = memory.add([1, BYTES, 2, 9, 0x6261], 40);
    memory.words[(bytes >>> 2) + 4] = 0xff006261; // "ab", its end, and garbage
    thin(memory.heap, memory.module(new Map()), object);
    expect([...memory.words.subarray(text >>> 2, (text >>> 2) + 7)]).toEqual([
      ...[1, STRING, 3, 0xffffffff, COMPACT_ASCII],
      ...[0x636261, 0],
    ]);
    expect(new Set(memory.heap.subarray(bytes + 18, bytes + 40))).toEqual(new Set([0]));
    expect(new Set(memory.heap.subarray(STACK_END, STACK_NOW))).toEqual(new Set([0]));
  });

  it('is nothing of what only looks like an object', () => {
    const memory = new Memory();
    const [object] = memory.list(3);
    const pointers = [0x300000, STRING, 3, 0x300040, 0x300080, 0x3000c0]; // items of a list
    const items = memory.add(pointers);
    const long = memory.add([1, STRING, 3000, 5, COMPACT_ASCII, 1]); // more characters than there is room for
    const { hashes } = thin(memory.heap, memory.module(new Map()), object);
    expect(hashes).toHaveLength(0);
    expect([...memory.words.subarray(items >>> 2, (items >>> 2) + 6)]).toEqual(pointers);
    expect([...memory.words.subarray(long >>> 2, (long >>> 2) + 6)]).toEqual([1, STRING, 3000, 5, COMPACT_ASCII, 1]);
  });

  it('is not taken from a memory of another layout', () => {
    const memory = new Memory();
    const [object] = memory.list(3);
    const module = memory.module(new Map());
    memory.words[(object - 8) >>> 2] = BASE;
    expect(() => thin(memory.heap, module, object)).toThrow('other lists');
    memory.words[(BASE + 4) >>> 2] = 3;
    expect(() => thin(memory.heap, module, object)).toThrow('malloc');
  });

  it('has addresses as distances of any length', () => {
    const all = [4, 8, 4 * 128, 4 * 200_000, 0x7fff_fffc];
    expect([...addresses(varints(all))]).toEqual(all);
    expect([...addresses(new Uint8Array())]).toEqual([]);
  });
});
