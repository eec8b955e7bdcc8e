/**
 * Where CPython's structures have what the guard of the stack reads, in bytes, on 32-bit WebAssembly.
 *
 * The same in CPython 3.12 to 3.14. `fits` compares what is there with what must be there, so that another layout
 * leaves the guard out instead of writing anywhere.
 */

/** PyObject; PyASCIIObject and PyBytesObject have their length behind that. */
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
};

/** PyAsyncMethods */
export const AsyncOffset = { am_send: 12 };

/** PyCFunctionObject */
export const BuiltinOffset = { m_ml: 8 };

/** PyMethodDescrObject */
export const MethodOffset = { d_method: 20 };

/** PyMethodDef */
export const DefinitionOffset = { ml_name: 0, ml_meth: 4, ml_flags: 8 };

export type Arity = 1 | 2 | 3 | 4;

/** Parameters of a C function by its flags: METH_O, METH_VARARGS | METH_KEYWORDS, METH_FASTCALL, that with METH_KEYWORDS. */
const ARITY: Record<number, Arity> = { 0x08: 2, 0x03: 3, 0x80: 3, 0x82: 4 };

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

  /** The definition of a function of C, and of a method of C. */
  builtin(address: number): number {
    return this.word(address + BuiltinOffset.m_ml);
  }

  method(address: number): number {
    return this.word(address + MethodOffset.d_method);
  }

  /** The place in the table of the function that a definition has. */
  function(definition: number): number {
    return this.word(definition + DefinitionOffset.ml_meth);
  }

  arity(definition: number): Arity {
    return ARITY[this.word(definition + DefinitionOffset.ml_flags)];
  }

  /** A text that ends with a zero. */
  private text(address: number): string {
    const { HEAPU8 } = this.heap;
    return String.fromCharCode(...HEAPU8.subarray(address, HEAPU8.indexOf(0, address)));
  }

  /** Whether the structures are as assumed, judged by objects whose names are known. */
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
