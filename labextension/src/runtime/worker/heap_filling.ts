/**
 * Computes what the snapshot leaves out of Python's memory because it follows from the rest (`jupyterlite_browsergrad/boot/thin_heap.mjs`).
 * It would be a seventh of the file.
 */

/** What Pyodide's module offers for this. */
export interface HeapModule {
  HEAPU32: Uint32Array;
  /** Computes the hash of the object at an address. A string keeps it. */
  _PyObject_Hash(address: number): number;
}

/** What is left out. Addresses are `varints`, see `addresses`. */
export interface Omitted {
  /** Heads of the objects in one list of the garbage collector. */
  links: Uint8Array;
  /** Strings without their hash. */
  hashes: Uint8Array;
  /** Keys of dictionaries without their index. All keys are strings. */
  tables: number[];
}

/** Entry of an index that is not in use. */
const EMPTY = 0xffff_ffff;

/** Reads sorted addresses: the distances, divided by four, in seven bits a byte, the lowest first. */
export function* addresses(varints: Uint8Array): Iterable<number> {
  let address = 0;
  let distance = 0;
  let shift = 0;
  for (const byte of varints) {
    distance |= (byte & 127) << shift;
    shift += 7;
    if (byte < 128) {
      address += distance << 2;
      yield address;
      distance = shift = 0;
    }
  }
}

/**
 * Links the objects of a list of the garbage collector, each with the next and the one before, as a ring. The two lowest bits of a link are flags,
 * which are in the memory.
 */
function link(words: Uint32Array, varints: Uint8Array): void {
  const ring = [...addresses(varints)];
  let before = ring[ring.length - 1];
  for (const head of ring) {
    words[before >>> 2] |= head;
    words[(head >>> 2) + 1] |= before;
    before = head;
  }
}

/**
 * Makes the index of a dictionary, as CPython's `build_indices_unicode`. Its keys are the words reference count, sizes and kind, version,
 * usable entries, used entries; then the index; then the entries, each a key and a value.
 */
function index(words: Uint32Array, address: number): void {
  const keys = address >>> 2;
  const table = keys + 5;
  const size = 2 ** (words[keys + 1] & 255);
  const entries = table + size;
  words.fill(EMPTY, table, entries);
  for (let entry = 0; entry < words[keys + 4]; entry++) {
    const key = words[entries + 2 * entry];
    if (key) {
      let perturb = words[(key >>> 2) + 3];
      let at = perturb & (size - 1);
      while (words[table + at] !== EMPTY) {
        perturb >>>= 5;
        at = (5 * at + perturb + 1) & (size - 1);
      }
      words[table + at] = entry;
    }
  }
}

/** Fills the restored memory. It does not grow. */
export function fillHeap(module: HeapModule, { links, hashes, tables }: Omitted): void {
  for (const string of addresses(hashes)) {
    module._PyObject_Hash(string);
  }
  link(module.HEAPU32, links);
  tables.forEach(keys => index(module.HEAPU32, keys));
}
