/** A CPython that consists of a few structures in memory, for tests of the code that guards its stack. */
import {
  DefinitionOffset,
  BuiltinOffset,
  MethodOffset,
  ObjectOffset,
  TypeOffset,
} from '../../src/runtime/worker/cpython_layout';
import type { GuardedModule, GuardedObjects } from '../../src/runtime/worker/stack_guard';
import functionBytes from './python_function.wat';

export const BASE = 8 * 1024 * 1024;
export const END = 2 * 1024 * 1024;
/** Words of the thread state. */
export const REMAINING = 6;
const LIMIT = 5;
const MOST = 10_000;
const THREAD_STATE = 4096;

type Call = (...values: number[]) => number;

/** Counts calls of C code, as CPython 3.12 does. With `measures`, it measures its stack, as 3.14 does. */
export class FakePython {
  readonly memory = new ArrayBuffer(64 * 1024);
  readonly HEAPU8 = new Uint8Array(this.memory);
  readonly HEAP32 = new Int32Array(this.memory);
  readonly HEAPU32 = new Uint32Array(this.memory);
  readonly wasmTable = new WebAssembly.Table({ initial: 1, element: 'anyfunc' });
  readonly ___stack_pointer = new WebAssembly.Global({ value: 'i32', mutable: true }, BASE);
  readonly validSuspender = { value: false };
  stackStop = BASE;
  readonly StackState = class {
    restore(): number {
      return 0;
    }
  };
  /** The ends of the stacks that were given, and the limits of other thread states. */
  readonly protections: number[] = [];
  readonly limits: number[] = [];
  private free = 8192;

  constructor(measures: boolean) {
    this.thread[REMAINING] = MOST;
    this.thread[LIMIT] = 1000;
    if (measures) {
      Object.assign(this, {
        _PyUnstable_ThreadState_SetStackProtection: (_state: number, start: number) => this.protections.push(start),
        _Py_EnterRecursiveCall: () => 0,
        _Py_LeaveRecursiveCall: () => undefined,
      });
    }
  }

  get module(): GuardedModule {
    return this as unknown as GuardedModule;
  }

  get thread(): Int32Array {
    return this.HEAP32.subarray(THREAD_STATE / 4);
  }

  get remaining(): number {
    return this.thread[REMAINING];
  }

  promisingApply(..._values: unknown[]): Promise<unknown> {
    return Promise.resolve();
  }
  _emscripten_stack_get_base = (): number => BASE;
  _emscripten_stack_get_end = (): number => END;
  _emscripten_stack_set_limits = (_base: number, end: number): void => void this.limits.push(end);
  _PyThreadState_Get = (): number => THREAD_STATE;
  _PyMem_Malloc = (size: number): number => this.room(size);
  _Py_EnterRecursiveCall = (_where: number): number => (this.thread[REMAINING]-- <= 0 ? -1 : 0);
  _Py_LeaveRecursiveCall = (): void => void this.thread[REMAINING]++;
  _Py_GetRecursionLimit = (): number => this.thread[LIMIT];
  _Py_SetRecursionLimit = (limit: number): void => void this.thread.fill(limit, LIMIT, LIMIT + 1);
  _Py_DecRef = (_object: number): void => undefined;
  _PyErr_WriteUnraisable = (_object: number): void => undefined;
  _PyObject_CallOneArg = (_callable: number, _argument: number): number => 0;

  private room(size: number): number {
    const address = this.free;
    this.free += (size + 15) & ~15;
    return address;
  }

  /** Puts words at offsets of a new structure. */
  private structure(words: Record<number, number>): number {
    const address = this.room(256);
    for (const [offset, word] of Object.entries(words)) {
      this.HEAPU32[(address + Number(offset)) >>> 2] = word;
    }
    return address;
  }

  private text(text: string): number {
    const address = this.room(text.length + 1);
    this.HEAPU8.set(
      [...text].map(character => character.charCodeAt(0)),
      address,
    );
    return address;
  }

  /** A function in the table. */
  place(name: 'call1' | 'call3' | 'call4', call: Call): number {
    const script = { call1: call, call3: call, call4: call };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(functionBytes), { script });
    const index = this.wasmTable.grow(1);
    this.wasmTable.set(index, exports[name]);
    return index;
  }

  /** Objects that do nothing but call a Python function: `call`. */
  objects(call: Call): GuardedObjects {
    const nothing = (): number => 0;
    const metatype = this.structure({ [TypeOffset.tp_name]: this.text('type') });
    const type = (name: string, slots: Record<number, number> = {}): number =>
      this.structure({ [ObjectOffset.ob_type]: metatype, [TypeOffset.tp_name]: this.text(name), ...slots });
    const definition = (name: string, flags = 0x82): number =>
      this.structure({
        [DefinitionOffset.ml_name]: this.text(name),
        [DefinitionOffset.ml_meth]: this.place(flags === 0x82 ? 'call4' : 'call3', nothing),
        [DefinitionOffset.ml_flags]: flags,
      });
    const builtin = (name: string): number => this.structure({ [BuiltinOffset.m_ml]: definition(name) });
    const method = (name: string): number => this.structure({ [MethodOffset.d_method]: definition(name, 0x80) });
    const vectorcall = 32;
    const tuple = type('tuple', { [TypeOffset.tp_hash]: this.place('call1', nothing) });
    return {
      dealloc: [],
      finalized: type('Finalized'),
      compare: [],
      repr: [],
      str: [],
      hash: tuple,
      function: type('function', { [TypeOffset.tp_vectorcall_offset]: vectorcall }),
      aFunction: this.structure({ [vectorcall]: this.place('call4', call) }),
      generators: [],
      builtins: [builtin('__build_class__')],
      methods: [method('send'), method('throw')],
      evaluate: [builtin('eval'), builtin('exec')],
      compile: builtin('compile'),
      pickle: [builtin('dumps')],
      pickler: [method('dump')],
      scanner: type('Scanner'),
      encoder: type('Encoder'),
      sources: [type('str'), type('bytes')],
      check: 0,
      checkOnOneStack: 0,
      prepareEval: 0,
      prepareExec: 0,
    };
  }

  /** Calls the Python function of `objects`, as C code does, at a depth of the C stack. */
  call(objects: GuardedObjects, depth: number): number {
    const offset = this.HEAPU32[(objects.function + TypeOffset.tp_vectorcall_offset) >>> 2];
    const index = this.HEAPU32[(objects.aFunction + offset) >>> 2];
    const before = this.___stack_pointer.value;
    this.___stack_pointer.value = BASE - depth;
    try {
      return (this.wasmTable.get(index) as Call)(1, 2, 3, 4);
    } finally {
      this.___stack_pointer.value = before;
    }
  }
}
