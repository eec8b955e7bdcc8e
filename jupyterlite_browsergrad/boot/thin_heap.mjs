// Takes out of a copy of Python's memory what nobody reads, and what a kernel computes again (`worker/heap_filling.ts`): links of the
// garbage collector, hashes of strings, the index of the largest dictionary. They look random, so they compress badly. It also takes out the
// columns of most modules, which mark the place of an error within its line.
//
// It knows the layout of CPython 3.14's objects, and that of the blocks of Emscripten's `malloc` (dlmalloc): a block at `p` has its size and
// flags at `p + 4`, the object at `p + 8`, and ends four bytes after the next block begins.
import { withoutColumns } from './line_tables.mjs';

/** Flag of a block in use; the two lowest bits of a link of the garbage collector are flags as well. */
const IN_USE = 2;
const FLAGS = 3;
/** Reference counts of objects are below the first, or above the second for those that live for ever. Pointers lie between them. */
const [MOST_COUNTED, LEAST_IMMORTAL] = [0x10_0000, 0x4000_0000];
/** Log2 of the size of the smallest index that is left out. Indices of this size have entries of four bytes. */
const SMALLEST_INDEX = 16;
const DICT_KEYS_UNICODE = 1;
const NO_HASH = 0xffff_ffff;
/** Fields of a code object, in words. */
const [FILE_NAME, LINE_TABLE] = [20, 23];
/** Modules whose errors notebooks show often. They keep their columns. */
const WITH_COLUMNS =
  /\/(?:ast|base64|calendar|collections|contextlib|copy|dataclasses|datetime|enum|fractions|functools|heapq|json|pathlib|random|re|string|textwrap|traitlets\/traitlets|typing)(?:\/|\.py$)/;

/**
 * Changes `heap`, a copy of the memory.
 *
 * @param heap - Uint8Array.
 * @param module - Emscripten's module, from which the addresses of symbols come.
 * @param tracked - address of an object that the garbage collector has seen more than once.
 * @param hashed - addresses of code objects whose hash must not change, since they are keys. They keep their columns.
 * @throws Error if the layout is another one. Then nothing has been changed.
 * @returns what is to be computed again: addresses of the collector's links and of strings without hashes, both as varints
 * (see `varints`); and of the keys of dictionaries without an index.
 */
export function thin(heap, module, tracked, hashed = []) {
  const words = new Uint32Array(heap.buffer, heap.byteOffset, heap.byteLength >>> 2);
  const blocks = blocksOf(words, module);
  const ring = ringOf(words, tracked - 8);
  heap.fill(0, module._emscripten_stack_get_end(), module._emscripten_stack_get_current()); // what ended calls have left there
  const strings = [];
  const tables = [];
  const codes = [];
  for (const [start, end] of blocks) {
    const at = start >>> 2;
    const type = words[at + 1];
    if (type === module._PyUnicode_Type) {
      if (!isString(words, at, end)) continue;
      words[at + 4] &= 255; // the rest of its state is not in use
      heap.fill(0, start + stringSize(words, at), end);
      if (words[at + 3] !== NO_HASH) strings.push(start);
    } else if (type === module._PyBytes_Type || type === module._PyCode_Type) {
      clearRest(heap, words, at, end);
      if (type === module._PyCode_Type) codes.push(at);
    } else if (isLargeIndex(words, at, end)) {
      tables.push(start);
    }
  }
  const kept = new Set(hashed.map(address => address >>> 2));
  const keptTables = new Set([...kept].map(at => words[at + LINE_TABLE]));
  for (const at of codes) {
    if (!kept.has(at) && !keptTables.has(words[at + LINE_TABLE])) dropColumns(heap, words, at, module);
  }
  for (const start of strings) words[(start >>> 2) + 3] = NO_HASH;
  for (const start of tables) {
    const at = start >>> 2;
    words.fill(0, at + 5, at + 5 + 2 ** (words[at + 1] & 255));
  }
  for (const head of ring) {
    words[head >>> 2] &= FLAGS;
    words[(head >>> 2) + 1] &= FLAGS;
  }
  return { links: varints(ring), hashes: varints(strings), tables };
}

const heapBase = module => (module.___heap_base.value ?? module.___heap_base) >>> 0;

/** Blocks in use: where their contents begin and end. */
function blocksOf(words, module) {
  const top = words[module._emscripten_get_sbrk_ptr() >>> 2];
  const blocks = [];
  let block = heapBase(module);
  while (block < top - 64) {
    const size = words[(block + 4) >>> 2] & ~7;
    if (size < 16 || block + size > top) throw new Error(`malloc has another layout than is known, at ${block}`);
    if (words[(block + 4) >>> 2] & IN_USE) blocks.push([block + 8, block + size + 4]);
    block += size;
  }
  return blocks;
}

const isCount = count => count > 0 && (count < MOST_COUNTED || count >= LEAST_IMMORTAL);

/** Whether a block that names the type of strings is one, and not a list that names it. The kinds are bytes per character. */
function isString(words, at, end) {
  const used = stringSize(words, at);
  return isCount(words[at]) && used !== null && (at << 2) + used <= end;
}

/** Bytes of a string whose characters follow its head; null if it is another string. */
function stringSize(words, at) {
  const state = words[at + 4];
  const kind = (state >>> 2) & 7;
  const [isCompact, isASCII] = [state & 32, state & 64];
  if (!isCompact || ![1, 2, 4].includes(kind) || words[at + 2] > 1 << 24) return null;
  return (isASCII ? 20 : 28) + (words[at + 2] + 1) * kind;
}

/** Clears what lies beyond the last item of an object of variable size. */
function clearRest(heap, words, at, end) {
  const type = words[at + 1] >>> 2;
  const used = (at << 2) + words[type + 4] + words[type + 5] * words[at + 2];
  if (isCount(words[at]) && words[at + 2] < 1 << 24 && used <= end) heap.fill(0, used, end);
}

/** Makes the table of lines of a code object shorter, unless it shows its columns. The block keeps its size. */
function dropColumns(heap, words, at, module) {
  const [file, table] = [words[at + FILE_NAME], words[at + LINE_TABLE]];
  if (words[(file >>> 2) + 1] !== module._PyUnicode_Type || words[(table >>> 2) + 1] !== module._PyBytes_Type) return;
  if (WITH_COLUMNS.test(textOf(heap, words, file >>> 2)) || table < heapBase(module)) return;
  const size = words[(table >>> 2) + 2];
  const content = heap.subarray(table + 16, table + 16 + size);
  const short = withoutColumns(content);
  if (short.length >= size) return;
  content.fill(0);
  content.set(short);
  words[(table >>> 2) + 2] = short.length;
  words[(table >>> 2) + 3] = NO_HASH;
}

/** The characters of an ASCII string. */
function textOf(heap, words, at) {
  const start = (at << 2) + 20;
  return new TextDecoder().decode(heap.subarray(start, start + words[at + 2]));
}

/** Whether the block holds the keys of a large dictionary whose keys are all strings. */
function isLargeIndex(words, at, end) {
  const [size, indexSize, kind, rest] = [0, 8, 16, 24].map(shift => (words[at + 1] >>> shift) & 255);
  if (size < SMALLEST_INDEX || size > 24 || indexSize !== size + 2 || kind !== DICT_KEYS_UNICODE || rest) return false;
  return isCount(words[at]) && (at << 2) + 20 + 4 * 2 ** size + 8 * words[at + 4] <= end;
}

/** @returns the sorted addresses of the heads of all objects in a list of the garbage collector, which is a ring. */
function ringOf(words, member) {
  const ring = [];
  let at = member >>> 0;
  do {
    ring.push(at);
    const next = words[at >>> 2] & ~FLAGS;
    if ((words[(next >>> 2) + 1] & ~FLAGS) !== at)
      throw new Error('the garbage collector has other lists than are known');
    at = next;
  } while (at !== member);
  return ring.sort((a, b) => a - b);
}

/** The distances between sorted addresses, divided by four: seven bits a byte, the lowest first, with the highest bit where more follow. */
export function varints(addresses) {
  const bytes = [];
  let before = 0;
  for (const address of addresses) {
    let distance = (address - before) >>> 2;
    for (; distance > 127; distance >>>= 7) bytes.push((distance & 127) | 128);
    bytes.push(distance);
    before = address;
  }
  return Uint8Array.from(bytes);
}
