/**
 * Lets too deep a recursion end in RecursionError, where the engine's stack would end and Python with it.
 *
 * CPython limits how far C code recurses: 3.14 measures its C stack, which is a part of Python's memory, 3.12 and 3.13 count
 * calls (`recursion_limits.ts`). The engine keeps return addresses and local values of the same functions on a stack of its
 * own, about 1 MB. The two grow in no fixed ratio: it depends on the functions, and on which of the engine's compilers made
 * their code. So three things are done, all by way of the table through which C code calls functions by their address:
 *
 * - Functions that run Python code (`native/guarded.wat`) go to a new stack of the engine's (one more call that could be
 *   suspended, though it never is) each time the C stack has grown by `SEGMENT`. Where the engine has no such stacks, they
 *   stay on theirs. Either way CPython's limit is set anew, to what is left for C code that recurses without Python.
 * - Functions that recurse and use next to no C stack get some (`native/padded.wat`). On CPython 3.14, which measures it:
 *   deallocation, comparison. Where calls are counted: comparison, `repr`; these too go to new stacks.
 * - The compiler, pickling and JSON have stacks of their own, and as much as suits them. Where CPython would not notice that a
 *   source nests too deeply for the compiler, it is refused before: `nesting.py`.
 *
 * Fits Pyodide 0.27 to 314; `StackGuard.for` says null elsewhere.
 */
import { AsyncOffset, type Arity, Structures, TypeOffset } from './cpython_layout';
import {
  CallLimit,
  type CallLimitModule,
  LEAST_ROOM,
  RATIO,
  type RecursionLimit,
  StackLimit,
  type StackLimitModule,
  type Use,
} from './recursion_limits';
import guardedBytes from './native/guarded.wat';
import hashBytes from './native/guarded_hash.wat';
import compareBytes from './native/padded_compare.wat';
import deallocBytes from './native/padded.wat';
import reprBytes from './native/padded_repr.wat';
import probeBytes from './native/probe.wat';
import sourceBytes from './native/long_source.wat';

/** Makes a function run on a stack of its own, where the engine has such. */
const { promising } = WebAssembly as { promising?: (run: Run) => Run };

/** What a frame of `probe` takes of the engine's stack at least, bytes. */
const FRAME = 256;
/** Bytes of the engine's stack that are as good as all of it. */
const ENOUGH = 640 * 1024;
/** Bytes of a new stack of the engine's: more than any use is allowed. */
const NEW_STACK = Infinity;
/** Bytes of the engine's stack that are kept for handling the error. */
const RESERVE = 80 * 1024;
/** Growth of the C stack, in bytes, after which code goes on on another stack of the engine's. */
const SEGMENT = 32 * 1024;
/** The same for the first stack of a call that can be suspended: code on a further one can't be. */
const FIRST_SEGMENT = 56 * 1024;
/** Stacks of the engine's at the same time. */
const MOST_STACKS = 200;
/** C stack that a padded function takes, bytes; a multiple of 16. */
const PADDING = 64;
/** Characters from which a source may be nested too deeply for the compiler. */
const LONG_SOURCE = 200;

/** Calls the guarded function and leaves its result in `result`. */
type Run = (a: number, b: number, c: number, d: number) => void;

interface Guarded {
  result: WebAssembly.Global<'i32'>;
  returned: WebAssembly.Global<'i32'>;
}

/** What the guard needs of Pyodide's module. */
interface StacksModule {
  HEAPU8: Uint8Array;
  HEAPU32: Uint32Array;
  wasmTable: WebAssembly.Table;
  validSuspender: { value: boolean };
  /** Begins a call that can be suspended. */
  promisingApply(...values: unknown[]): Promise<unknown>;
  /** Where the C stack was when the call began that runs now, of those that can be suspended. */
  stackStop: number;
  /** What the C stack holds of a suspended call. */
  StackState: { prototype: { restore(): number } };
  ___stack_pointer: WebAssembly.Global<'i32'>;
  _emscripten_stack_get_base(): number;
  _PyMem_Malloc(size: number): number;
  _Py_EnterRecursiveCall(where: number): number;
  _Py_LeaveRecursiveCall(): void;
  _Py_DecRef(object: number): void;
  _PyObject_CallOneArg(callable: number, argument: number): number;
}

export type GuardedModule = StacksModule & StackLimitModule & CallLimitModule;

const NEEDED: (keyof StacksModule)[] = [
  'wasmTable',
  'validSuspender',
  'promisingApply',
  'StackState',
  '___stack_pointer',
  '_emscripten_stack_get_base',
  '_Py_EnterRecursiveCall',
  '_PyObject_CallOneArg',
];

/** Addresses of Python's objects, from `stack.py`. */
export interface GuardedObjects {
  /** Types whose objects deallocate what they hold. */
  dealloc: number[];
  /** Types whose objects compare what they hold. */
  compare: number[];
  /** Types whose objects show what they hold, by `repr` and by `str`. */
  repr: number[];
  str: number[];
  /** A type whose objects hash what they hold and don't ask CPython how deep they are. */
  hash: number;
  /** The types of functions, generators and coroutines. */
  function: number;
  /** Some function of Python's. */
  aFunction: number;
  generators: number[];
  /** Functions and methods of C that run Python code. */
  builtins: number[];
  methods: number[];
  /** `eval` and `exec`, `compile`, and functions that pickle. */
  evaluate: number[];
  compile: number;
  pickle: number[];
  /** The type that reads JSON, and the one that writes it. */
  scanner: number;
  encoder: number;
  /** `str` and `bytes`. */
  sources: number[];
  /** Functions of `nesting.py`, called with the source that those are called with. */
  check: number;
  prepareEval: number;
  prepareExec: number;
}

export class StackGuard {
  private readonly structures: Structures;
  /** Where the C stack was when JavaScript called Python. */
  private floor: number;
  /** Below it, functions that run Python code go on on another stack. */
  private readonly threshold: WebAssembly.Global<'i32'>;
  private readonly guarded = new WebAssembly.Module(guardedBytes);
  private readonly probe: { frames: WebAssembly.Global<'i32'>; probe(left: number): bigint };
  private stacks = 0;
  /** Bytes of the stack that JavaScript runs on which have to be free for another stack to be begun. */
  private readonly reserve: number;
  /** Bytes of it for what runs there: it is the smallest, in Chromium's workers about 450 KB. */
  private readonly loopRoom: number;

  private constructor(
    private readonly module: StacksModule,
    private readonly limit: RecursionLimit,
  ) {
    this.structures = new Structures(module);
    this.floor = module._emscripten_stack_get_base();
    this.probe = new WebAssembly.Instance(new WebAssembly.Module(probeBytes)).exports as unknown as typeof this.probe;
    const free = this.free();
    // Where Python has stacks of its own, only callbacks from JavaScript use this one up, and each costs time on the way back.
    this.reserve = promising ? Math.max(RESERVE, free * 0.6) : RESERVE;
    this.loopRoom = Math.max(2 * LEAST_ROOM * RATIO, free - RESERVE);
    this.threshold = mutable(0);
    this.turn();
    this.followSuspended();
  }

  /** Knows the calls that can be suspended, of which several may be under way, each somewhere on the C stack. */
  private followSuspended(): void {
    const { module, limit } = this;
    const { promisingApply } = module;
    const { prototype } = module.StackState;
    const { restore } = prototype;
    module.promisingApply = (...values) => {
      const pointer = module.___stack_pointer.value;
      this.starts(pointer, SEGMENT);
      limit.allow(pointer, 'any', NEW_STACK);
      limit.suspendable();
      return promisingApply(...values);
    };
    const goesOn = (): void => {
      this.starts(module.stackStop, SEGMENT);
      limit.resumed(module.stackStop);
    };
    prototype.restore = function (this: unknown) {
      const copied = restore.call(this);
      goesOn();
      return copied;
    };
  }

  /** Python is called with the C stack's pointer at `floor`, or goes on with such a call. */
  private starts(floor: number, segment: number): void {
    this.floor = floor;
    this.threshold.value = floor - segment;
  }

  /** A cell begins. */
  begin(): void {
    if (!this.module.validSuspender.value) {
      this.turn();
    }
  }

  /** The event loop calls Python, on JavaScript's stack. */
  turn(): void {
    if (this.stacks === 0) {
      const pointer = this.module.___stack_pointer.value;
      this.starts(pointer, Math.min(SEGMENT, this.loopRoom / RATIO / 2));
      this.limit.allow(pointer, 'any', this.loopRoom);
    }
  }

  /** Whether a call below the threshold is to go on elsewhere. */
  private readonly leaves = (): number =>
    this.module.validSuspender.value && this.module.___stack_pointer.value > this.floor - FIRST_SEGMENT ? 0 : 1;

  /** @returns null where Pyodide's module does not fit. */
  static for(module: Partial<GuardedModule>): StackGuard | null {
    if (!NEEDED.every(name => module[name])) {
      return null;
    }
    const limit = StackLimit.for(module) ?? CallLimit.for(module);
    return limit && new StackGuard(module as GuardedModule, limit);
  }

  /** Puts the guards into the table. @returns whether Python's objects are laid out as assumed. */
  guard(objects: GuardedObjects): boolean {
    const { structures, module } = this;
    if (!structures.fits(objects)) {
      return false;
    }
    this.guardPython(objects);
    const hash = structures.word(objects.hash + TypeOffset.tp_hash);
    const compares = this.slots(objects.compare, TypeOffset.tp_richcompare);
    if (this.limit.measures) {
      this.pad(deallocBytes, this.slots(objects.dealloc, TypeOffset.tp_dealloc));
    } else {
      const shows = [...this.slots(objects.repr, TypeOffset.tp_repr), ...this.slots(objects.str, TypeOffset.tp_str)];
      this.leave(compares, 3);
      this.leave([hash, ...shows], 1);
      this.pad(reprBytes, new Set(shows));
    }
    this.pad(compareBytes, compares);
    const where = module._PyMem_Malloc(1);
    module.HEAPU8[where] = 0;
    this.pad(hashBytes, new Set([hash]), {
      enter: module._Py_EnterRecursiveCall,
      leave: module._Py_LeaveRecursiveCall,
      where,
    });
    return true;
  }

  /** Functions that run Python code, and those that need much room. */
  private guardPython(objects: GuardedObjects): void {
    const { structures } = this;
    const vectorcall = structures.word(objects.function + TypeOffset.tp_vectorcall_offset);
    this.leave([structures.word(objects.aFunction + vectorcall)], 4);
    this.leave(this.slots(objects.generators, TypeOffset.tp_iternext), 1);
    for (const methods of this.slots(objects.generators, TypeOffset.tp_as_async)) {
      this.leave([structures.word(methods + AsyncOffset.am_send)].filter(Boolean), 3);
    }
    const evaluate = objects.evaluate.map(address => structures.builtin(address));
    for (const definition of [
      ...evaluate,
      ...objects.builtins.map(address => structures.builtin(address)),
      ...objects.methods.map(address => structures.method(address)),
    ]) {
      this.leave([structures.function(definition)], structures.arity(definition));
    }
    const compile = structures.builtin(objects.compile);
    this.give('compiler', structures.function(compile), structures.arity(compile));
    for (const address of objects.pickle) {
      const definition = structures.builtin(address);
      this.give('pickle', structures.function(definition), structures.arity(definition));
    }
    this.give('json', structures.word(objects.scanner + TypeOffset.tp_call), 3);
    if (this.limit.measures) {
      this.prepare(compile, objects.check, objects);
    } else {
      this.give('json', structures.word(objects.encoder + TypeOffset.tp_call), 3);
    }
    const prepares = [objects.prepareEval, objects.prepareExec];
    evaluate.forEach((definition, i) => this.prepare(definition, prepares[i], objects));
  }

  /** The different functions, or structures, that some types have at an offset. */
  private slots(types: number[], offset: number): Set<number> {
    const slots = types.map(type => this.structures.word(type + offset));
    return new Set(slots.filter(Boolean));
  }

  private readonly replaced = new Set<number>();

  /** Puts another function into a place of the table, once; `make` gets the place where the present one goes. */
  private replace(index: number, make: (index: number) => unknown): void {
    if (!this.replaced.has(index)) {
      this.replaced.add(index);
      this.module.wasmTable.set(index, make(this.copied(index)));
    }
  }

  /** A further place of the table, with what is at `index`. */
  private copied(index: number): number {
    const { wasmTable } = this.module;
    const copy = wasmTable.grow(1);
    wasmTable.set(copy, wasmTable.get(index));
    return copy;
  }

  /** Lets functions go on on another stack below the threshold. */
  private leave(indices: Iterable<number>, arity: Arity): void {
    for (const index of indices) {
      this.replace(index, target => this.running(target, arity));
    }
  }

  /** Gives a function of C what suits its use. */
  private give(use: Use, index: number, arity: Arity): void {
    this.replace(index, target => this.running(target, arity, use));
  }

  private pad(bytes: BufferSource, indices: Set<number>, further: WebAssembly.ModuleImports = {}): void {
    const { wasmTable, ___stack_pointer: stack_pointer } = this.module;
    const padded = new WebAssembly.Module(bytes);
    for (const index of indices) {
      const python = { stack_pointer, padding: PADDING, target: wasmTable.get(index), ...further };
      wasmTable.set(index, new WebAssembly.Instance(padded, { python }).exports.padded);
    }
  }

  /** A function in the place of the one at `target`: it runs that, on another stack below the threshold. */
  private running(target: number, arity: Arity, use: Use = 'any'): unknown {
    const { wasmTable: table, ___stack_pointer: stack_pointer } = this.module;
    const enter = (...values: Parameters<Run>): number => this.enter(exports as unknown as Guarded, run, values, use);
    const { exports } = new WebAssembly.Instance(this.guarded, {
      python: { table, target, stack_pointer },
      // What has a use of its own always gets another stack.
      guard:
        use === 'any'
          ? { threshold: this.threshold, leaves: this.leaves, enter }
          : { threshold: mutable(-1), leaves: () => 1, enter },
    });
    const stay = exports[`run${arity}`] as Run;
    const run = promising ? promising(stay) : stay;
    return exports[`call${arity}`];
  }

  /** Lets Python look at a long source first. */
  private prepare(definition: number, prepare: number, { sources }: GuardedObjects): void {
    const { module, structures } = this;
    const index = structures.function(definition);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(sourceBytes), {
      python: { table: module.wasmTable, target: this.copied(index), release: module._Py_DecRef },
      guard: {
        // The first of the values at an address, where it is a long source.
        source: (values: number) => {
          const source = structures.word(values);
          return sources.includes(structures.type(source)) && structures.size(source) >= LONG_SOURCE ? source : 0;
        },
        prepare: (source: number) => module._PyObject_CallOneArg(prepare, source),
        store: (values: number, value: number) => {
          module.HEAPU32[values >>> 2] = value;
        },
      },
    });
    module.wasmTable.set(index, exports[`call${structures.arity(definition)}`]);
  }

  /** Calls a guarded function where C code has room for its use, if there is any room. */
  private enter(guarded: Guarded, run: Run, values: Parameters<Run>, use: Use): number {
    const { module, threshold, limit } = this;
    const { validSuspender } = module;
    const pointer = module.___stack_pointer.value;
    const before = { threshold: threshold.value, suspender: validSuspender.value, limit: limit.current() };
    const deep = pointer < this.floor - FIRST_SEGMENT;
    // Where a new stack is begun at little depth, what is left of this one decides nothing: it is not measured.
    const left = deep || !promising ? this.left() : NEW_STACK;
    if (!deep || (promising ? left > 0 : left > LEAST_ROOM * RATIO)) {
      limit.allow(pointer, use, promising ? NEW_STACK : left);
    } else {
      limit.narrow(pointer);
    }
    threshold.value = pointer - (promising ? SEGMENT : Math.max(LEAST_ROOM, Math.min(SEGMENT, left / RATIO / 2)));
    validSuspender.value = false;
    guarded.returned.value = 0;
    this.stacks++;
    try {
      const promise = run(...values) as unknown;
      if (!guarded.returned.value) {
        (promise as Promise<void> | undefined)?.catch(() => undefined); // it is thrown here, and at once
        throw new RangeError('Maximum call stack size exceeded');
      }
      return guarded.result.value;
    } finally {
      this.stacks--;
      validSuspender.value = before.suspender;
      threshold.value = before.threshold;
      limit.restore(before.limit);
    }
  }

  /** Bytes of the engine's stack that may be used where JavaScript runs; none for one stack too many. */
  private left(): number {
    return this.stacks === MOST_STACKS ? 0 : this.free() - this.reserve;
  }

  /** Bytes of the engine's stack that are left where JavaScript runs, at least; no more than `ENOUGH`. */
  private free(): number {
    const { frames, probe } = this.probe;
    const traces = Error as { stackTraceLimit?: number }; // V8's; a trace would cost more than the probe
    const { stackTraceLimit } = traces;
    traces.stackTraceLimit = 0;
    frames.value = 0;
    try {
      probe(ENOUGH / FRAME);
    } catch {
      // The stack's end: `frames` says where.
    } finally {
      traces.stackTraceLimit = stackTraceLimit;
    }
    return frames.value * FRAME;
  }
}

function mutable(value: number): WebAssembly.Global<'i32'> {
  return new WebAssembly.Global({ value: 'i32', mutable: true }, value);
}
