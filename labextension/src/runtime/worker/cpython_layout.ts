/**
 * Offsets of the fields of CPython's structures that the stack guard reads, in bytes, on 32-bit WebAssembly.
 *
 * They are the same in CPython 3.12 to 3.14. `fits` checks them against known objects: with another layout there is no guard,
 * so that it never writes to a wrong address.
 */

/** PyObject. PyASCIIObject and PyBytesObject have their length after it. */
export const ObjectOffset = { ob_type: 4, length: 8 };

/** PyTypeObject */
export const TypeOffset = {
  tp_name: 12,
  tp_dealloc: 24,
  tp_vectorcall_offset: 28,
  tp_as_async: 40,
  tp_repr: 44,
  tp_hash: 60,
  tp_call: 64,
  tp_str: 68,
  tp_richcompare: 100,
  tp_iternext: 112,
  tp_finalize: 196,
};

/** PyAsyncMethods */
export const AsyncOffset = { am_send: 12 };

/** PyCFunctionObject */
export const BuiltinOffset = { m_ml: 8 };

/** PyMethodDescrObject */
export const MethodOffset = { d_method: 20 };

/** PyMethodDef */
export const DefinitionOffset = { ml_name: 0, ml_meth: 4, ml_flags: 8 };

export type Arity = 1 | 2 | 3 | 4 | 5;

/**
 * Parameters of a C function by its flags: METH_O; METH_VARARGS | METH_KEYWORDS; METH_FASTCALL; METH_FASTCALL | METH_KEYWORDS;
 * and the last with METH_METHOD, which adds the class that defines the method.
 */
const ARITY: Record<number, Arity> = { 0x08: 2, 0x03: 3, 0x80: 3, 0x82: 4, 0x282: 5 };

interface Heap {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32: Uint32Array;
}

/** Reads CPython's structures by address. */
export class Structures {
  constructor(private readonly heap: Heap) {}

  word(address: number): number {
    return this.heap.HEAPU32[address >>> 2];
  }

  type(object: number): number {
    return this.word(object + ObjectOffset.ob_type);
  }

  /** Characters of a `str`, bytes of a `bytes`. */
  size(object: number): number {
    return this.word(object + ObjectOffset.length);
  }

  /** The definition (PyMethodDef) of a C function, and of a C method. */
  builtin(address: number): number {
    return this.word(address + BuiltinOffset.m_ml);
  }

  method(address: number): number {
    return this.word(address + MethodOffset.d_method);
  }

  /** The index, in the function table, of the function that a definition defines. */
  function(definition: number): number {
    return this.word(definition + DefinitionOffset.ml_meth);
  }

  /** How many parameters the function has; undefined for the few kinds that are not guarded. */
  arity(definition: number): Arity {
    return ARITY[this.word(definition + DefinitionOffset.ml_flags)];
  }

  /** Reads a text that ends with a zero. */
  private text(address: number): string {
    const { HEAPU8 } = this.heap;
    return String.fromCharCode(...HEAPU8.subarray(address, HEAPU8.indexOf(0, address)));
  }

  /** Whether the offsets hold, tested on objects whose names are known. */
  fits(objects: { hash: number; compile: number; methods: number[] }): boolean {
    const type = this.text(this.word(objects.hash + TypeOffset.tp_name));
    const compile = this.builtin(objects.compile);
    const methods = objects.methods.map(address => this.method(address));
    const name = (definition: number): string => this.text(this.word(definition + DefinitionOffset.ml_name));
    return (
      type === 'tuple' &&
      this.text(this.word(this.type(objects.hash) + TypeOffset.tp_name)) === 'type' &&
      name(compile) === 'compile' &&
      methods.every(definition => ['send', 'throw'].includes(name(definition))) &&
      [compile, ...methods].every(definition => this.arity(definition) !== undefined)
    );
  }
}
