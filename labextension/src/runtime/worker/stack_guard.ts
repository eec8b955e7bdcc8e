/**
 * Makes recursion that is too deep end in RecursionError. Without the guard the engine's stack would end, and Python with it.
 *
 * CPython limits how far C code recurses. CPython 3.14 measures its C stack, which is a part of Python's memory; 3.12 and 3.13
 * count calls (`recursion_limits.ts`). The engine keeps return addresses and local values of the same functions on a stack of its
 * own, of about 1 MB. The two stacks grow in no fixed ratio: it depends on the functions, and on which of the engine's compilers
 * made their code. So functions of ours take the place of some of CPython's in the table through which C code calls functions by
 * their address (`function_table.ts`):
 *
 * - Functions that run Python code continue on a further stack of the engine when calls are deep (`further_stacks.ts`).
 * - Functions that recurse but use almost none of the C stack take some of it (`native/padded.wat`). In CPython 3.14, which
 *   measures the stack, these are deallocation and comparison. In versions that count calls, these are comparison and `repr`,
 *   which continue on further stacks as well.
 * - The compiler, pickling and JSON get stacks of their own, of a size that suits them. Where CPython would not notice that a
 *   source nests too deeply for the compiler, the source is refused before (`long_sources.ts`).
 * - Near the limit, some calls are refused (`stack_refusals.ts`).
 *
 * Fits Pyodide 0.27 to 314. For other versions `StackGuard.for` returns null.
 */
import { AsyncOffset, type Arity, Structures, TypeOffset } from './cpython_layout';
import { FunctionTable } from './function_table';
import { FurtherStacks, HAS_FURTHER_STACKS, type StacksModule } from './further_stacks';
import { LongSources, type SourcesModule } from './long_sources';
import hashBytes from './native/guarded_hash.wat';
import compareBytes from './native/padded_compare.wat';
import deallocBytes from './native/padded.wat';
import reprBytes from './native/padded_repr.wat';
import {
  CallLimit,
  type CallLimitModule,
  type RecursionLimit,
  StackLimit,
  type StackLimitModule,
  type Use,
} from './recursion_limits';
import { StackRefusals, type RefusalsModule } from './stack_refusals';

/** The parts of Pyodide's module that the guard needs with every version of CPython. */
interface CommonModule extends StacksModule, SourcesModule, RefusalsModule {
  HEAPU8: Uint8Array;
  _PyMem_Malloc(size: number): number;
}

export type GuardedModule = CommonModule & StackLimitModule & CallLimitModule;

const NEEDED: (keyof CommonModule)[] = [
  'wasmTable',
  'validSuspender',
  'promisingApply',
  'StackState',
  '___stack_pointer',
  '_emscripten_stack_get_base',
  '_Py_EnterRecursiveCall',
  '_PyErr_WriteUnraisable',
  '_PyObject_CallOneArg',
];

/** Addresses of Python's objects, from `stack.py`. */
export interface GuardedObjects {
  /** Types whose objects deallocate the objects in them. */
  dealloc: number[];
  /** A class with `__del__`. */
  finalized: number;
  /** Types whose objects compare the objects in them. */
  compare: number[];
  /** Types whose objects show the objects in them, by `repr` and by `str`. */
  repr: number[];
  str: number[];
  /** A type whose objects hash the objects in them, without CPython's check of the depth. */
  hash: number;
  /** The type of functions. */
  function: number;
  /** Any function written in Python. */
  aFunction: number;
  /** The types of generators and coroutines. */
  generators: number[];
  /** C functions and C methods that run Python code. */
  builtins: number[];
  methods: number[];
  /** `eval` and `exec`, `compile`, and functions and methods that pickle. */
  evaluate: number[];
  compile: number;
  pickle: number[];
  pickler: number[];
  /** The type that reads JSON, and the one that writes it. */
  scanner: number;
  encoder: number;
  /** `str` and `bytes`. */
  sources: number[];
  /** Functions of `nesting.py` that get a long source before `compile`, `eval` and `exec` do. */
  check: number;
  checkOnOneStack: number;
  prepareEval: number;
  prepareExec: number;
}

export class StackGuard {
  private readonly structures: Structures;
  private readonly table: FunctionTable;
  private readonly stacks: FurtherStacks;
  private readonly refusals: StackRefusals;
  /** Address of an empty text. */
  private readonly noText: number;

  private constructor(
    private readonly module: CommonModule,
    private readonly limit: RecursionLimit,
  ) {
    this.structures = new Structures(module);
    this.table = new FunctionTable(module);
    this.noText = module._PyMem_Malloc(1);
    module.HEAPU8[this.noText] = 0;
    this.stacks = new FurtherStacks(module, limit);
    this.refusals = new StackRefusals(module, this.table, limit, this.noText);
  }

  /** @returns null if Pyodide's module is not of a known form. */
  static for(module: Partial<GuardedModule>): StackGuard | null {
    if (!NEEDED.every(name => module[name])) {
      return null;
    }
    const limit = StackLimit.for(module) ?? CallLimit.for(module);
    return limit && new StackGuard(module as GuardedModule, limit);
  }

  /** Notes that a cell begins. */
  begin(): void {
    this.stacks.begin();
  }

  /** Notes that the event loop calls Python, on JavaScript's stack. */
  turn(): void {
    this.stacks.turn();
  }

  /** Puts the guards into the table. @returns false, without a change, if Python's objects have another layout. */
  guard(objects: GuardedObjects): boolean {
    const { structures, module, table } = this;
    if (!structures.fits(objects)) {
      return false;
    }
    this.guardPython(objects);
    const hash = structures.word(objects.hash + TypeOffset.tp_hash);
    const compares = this.slots(objects.compare, TypeOffset.tp_richcompare);
    if (this.limit.measures) {
      table.pad(deallocBytes, this.slots(objects.dealloc, TypeOffset.tp_dealloc));
      this.slots([objects.finalized], TypeOffset.tp_finalize).forEach(index => this.refusals.guard(index, 'finalize'));
    } else {
      const shows = [...this.slots(objects.repr, TypeOffset.tp_repr), ...this.slots(objects.str, TypeOffset.tp_str)];
      this.leave(compares, 3);
      this.leave([hash, ...shows], 1);
      table.pad(reprBytes, new Set(shows));
    }
    table.pad(compareBytes, compares);
    table.pad(hashBytes, new Set([hash]), {
      enter: module._Py_EnterRecursiveCall,
      leave: module._Py_LeaveRecursiveCall,
      where: this.noText,
    });
    return true;
  }

  /** Guards functions that run Python code, and functions that need much of the stack. */
  private guardPython(objects: GuardedObjects): void {
    const { structures } = this;
    const builtins = (addresses: number[]): number[] => addresses.map(address => structures.builtin(address));
    const vectorcall = structures.word(objects.function + TypeOffset.tp_vectorcall_offset);
    this.leave([structures.word(objects.aFunction + vectorcall)], 4);
    this.leave(this.slots(objects.generators, TypeOffset.tp_iternext), 1);
    for (const methods of this.slots(objects.generators, TypeOffset.tp_as_async)) {
      this.leave([structures.word(methods + AsyncOffset.am_send)].filter(Boolean), 3);
    }
    const evaluate = builtins(objects.evaluate);
    this.leaveDefined([...evaluate, ...builtins(objects.builtins)]);
    this.leaveDefined(objects.methods.map(address => structures.method(address)));
    const compile = structures.builtin(objects.compile);
    this.leaveDefined([compile], 'compiler');
    this.leaveDefined([...builtins(objects.pickle), ...objects.pickler.map(each => structures.method(each))], 'pickle');
    this.leave(this.slots([objects.scanner], TypeOffset.tp_call), 3, 'json');
    const sources = new LongSources(this.module, this.table, structures, objects.sources);
    if (!HAS_FURTHER_STACKS) {
      sources.guard(compile, objects.checkOnOneStack);
    } else if (this.limit.measures) {
      sources.guard(compile, objects.check);
    }
    if (!this.limit.measures) {
      this.leave(this.slots([objects.encoder], TypeOffset.tp_call), 3, 'json');
    }
    const prepares = [objects.prepareEval, objects.prepareExec];
    evaluate.forEach((definition, i) => sources.guard(definition, prepares[i]));
    if (this.limit.measures) {
      for (const definition of [...evaluate, compile]) {
        this.refusals.guard(structures.function(definition), `call${structures.arity(definition)}`);
      }
    }
  }

  /** The different functions, or structures, that some types have at an offset. */
  private slots(types: number[], offset: number): Set<number> {
    const slots = types.map(type => this.structures.word(type + offset));
    return new Set(slots.filter(Boolean));
  }

  /** Lets functions continue on a further stack. */
  private leave(indices: Iterable<number>, arity: Arity, use: Use = 'any'): void {
    for (const index of indices) {
      this.table.replaceOnce(index, target => this.stacks.guard(target, arity, use));
    }
  }

  /** Does the same for functions with a definition, which says how many parameters they have. */
  private leaveDefined(definitions: number[], use?: Use): void {
    const { structures } = this;
    for (const definition of definitions.filter(one => structures.arity(one))) {
      this.leave([structures.function(definition)], structures.arity(definition), use);
    }
  }
}
