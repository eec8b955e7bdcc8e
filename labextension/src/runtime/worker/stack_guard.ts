/**
 * Lets too deep a recursion end in RecursionError, where the engine's stack would end and Python with it.
 *
 * CPython 3.14 limits its C stack, which is a part of Python's memory. The engine keeps return addresses and local values of
 * the same functions on a stack of its own, about 1 MB. The two grow in no fixed ratio: it depends on the functions, and on
 * which of the engine's compilers made their code. So three things are done, all by way of the table through which C code
 * calls functions by their address:
 *
 * - Functions that run Python code (`native/guarded.wat`) go to a new stack of the engine's (one more call that could be
 *   suspended, though it never is) each time the C stack has grown by `SEGMENT`. Where the engine has no such stacks, they
 *   stay on theirs. Either way CPython's limit is set anew, to what is left for C code that recurses without Python.
 * - Functions that recurse and use next to no C stack get some (`native/padded.wat`): deallocation, comparison.
 * - The compiler uses much of it, and gets more. Sources nested too deeply for it are refused before: `nesting.py`.
 *
 * Fits Pyodide 314; `StackGuard.for` says null elsewhere. CPython 3.12 counts calls of C functions instead.
 */
import guardedBytes from './native/guarded.wat';
import hashBytes from './native/guarded_hash.wat';
import compareBytes from './native/padded_compare.wat';
import deallocBytes from './native/padded.wat';
import probeBytes from './native/probe.wat';
import sourceBytes from './native/long_source.wat';

/** Makes a function run on a stack of its own, where the engine has such. */
const { promising } = WebAssembly as { promising?: (run: Run) => Run };

/** What a frame of `probe` takes of the engine's stack at least, bytes. */
const FRAME = 256;
/** Bytes of the engine's stack that are as good as all of it. */
const ENOUGH = 640 * 1024;
/** Bytes of the engine's stack that are kept for handling the error. */
const RESERVE = 80 * 1024;
/** Bytes of the engine's stack that C code takes for each byte of the C stack, at most. */
const RATIO = 8;
/** Growth of the C stack, in bytes, after which code goes on on another stack of the engine's. */
const SEGMENT = 32 * 1024;
/** The same for the first stack of a call that can be suspended: code on a further one can't be. */
const FIRST_SEGMENT = 56 * 1024;
/** C stack for code that recurses without Python, bytes. */
const ROOM = 80 * 1024;
/** The same for the compiler, whose frames take much of the C stack and little of the engine's. */
const COMPILER_ROOM = 3 * 1024 * 1024;
/** And for pickling. */
const PICKLE_ROOM = 320 * 1024;
/** For reading JSON, whose frames take next to nothing of the C stack. */
const JSON_ROOM = 48 * 1024;
/** C stack that code gets where the engine's stack is used up, bytes: to get to the next check. */
const LEAST_ROOM = 24 * 1024;
/** Stacks of the engine's at the same time. */
const MOST_STACKS = 200;
/** CPython raises RecursionError this far above the start of the stack it is given, bytes. */
const MARGINS = 16 * 1024;
/** The least stack that CPython takes, bytes. */
const LEAST_STACK = 32 * 1024;
/** C stack that a padded function takes, bytes; a multiple of 16. */
const PADDING = 64;
/** Characters from which a source may be nested too deeply for the compiler. */
const LONG_SOURCE = 200;

/** Offsets in CPython's structures, 32-bit. */
const Offset = {
  /** PyTypeObject */
  tpDealloc: 24,
  tpVectorcallOffset: 28,
  tpAsAsync: 40,
  tpCall: 64,
  tpHash: 60,
  tpRichcompare: 100,
  tpIternext: 112,
  /** PyAsyncMethods */
  amSend: 12,
  /** PyCFunctionObject, PyMethodDescrObject: their PyMethodDef. */
  builtinDefinition: 8,
  methodDefinition: 20,
  /** PyMethodDef */
  mlMeth: 4,
  mlFlags: 8,
};

/** Parameters of a C function by its flags: METH_O, METH_VARARGS | METH_KEYWORDS, METH_FASTCALL, that with METH_KEYWORDS. */
const ARITY: Record<number, Arity> = { 0x08: 2, 0x03: 3, 0x80: 3, 0x82: 4 };

type Arity = 1 | 2 | 3 | 4;
/** Calls the guarded function and leaves its result in `result`. */
type Run = (a: number, b: number, c: number, d: number) => void;

interface Guarded {
  result: WebAssembly.Global<'i32'>;
  returned: WebAssembly.Global<'i32'>;
}

/** What the guard needs of Pyodide's module. */
export interface GuardedModule {
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
  _malloc(size: number): number;
  _emscripten_stack_get_base(): number;
  _emscripten_stack_get_end(): number;
  _emscripten_stack_set_limits(base: number, end: number): void;
  _Py_EnterRecursiveCall(where: number): number;
  _Py_LeaveRecursiveCall(): void;
  _Py_DecRef(object: number): void;
  memory: WebAssembly.Memory;
  _PyObject_CallOneArg(callable: number, argument: number): number;
  _PyThreadState_Get(): number;
  _PyUnstable_ThreadState_SetStackProtection(threadState: number, start: number, size: number): number;
}

/** Addresses of Python's objects, from `stack.py`. */
export interface GuardedObjects {
  /** Types whose objects deallocate what they hold. */
  dealloc: number[];
  /** Types whose objects compare what they hold. */
  compare: number[];
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
  /** The type that reads JSON. */
  scanner: number;
  /** `str` and `bytes`. */
  sources: number[];
  /** Functions of `nesting.py`, called with the source that those are called with. */
  check: number;
  prepareEval: number;
  prepareExec: number;
}

export class StackGuard {
  private readonly base: number;
  /** CPython's limit gets no lower: what it keeps free is below, and then the stack's end. */
  private readonly lowest: number;
  /** Where the C stack was when JavaScript called Python. */
  private floor: number;
  /** Below it, functions that run Python code go on on another stack. */
  private readonly threshold: WebAssembly.Global<'i32'>;
  private readonly guarded = new WebAssembly.Module(guardedBytes);
  private readonly probe: { frames: WebAssembly.Global<'i32'>; probe(left: number): bigint };
  /** Where the stack ends that CPython has been given. */
  private end: number;
  private stacks = 0;
  /** Bytes of the stack that JavaScript runs on which have to be free for another stack to be begun. */
  private readonly reserve: number;
  /** C stack for what runs on JavaScript's stack, bytes: there it is the smallest, in Chromium's workers about 450 KB. */
  private readonly loopRoom: number;

  private constructor(private readonly module: GuardedModule) {
    this.base = this.floor = module._emscripten_stack_get_base();
    this.lowest = module._emscripten_stack_get_end() + 2 * MARGINS;
    this.probe = new WebAssembly.Instance(new WebAssembly.Module(probeBytes)).exports as unknown as typeof this.probe;
    const free = this.free();
    // Where Python has stacks of its own, only callbacks from JavaScript use this one up, and each costs time on the way back.
    this.reserve = promising ? Math.max(RESERVE, free * 0.6) : RESERVE;
    this.loopRoom = Math.max(2 * LEAST_ROOM, Math.min(ROOM, Math.trunc((free - RESERVE) / RATIO)));
    this.threshold = mutable(0);
    this.end = this.base;
    this.turn();
    this.followSuspended();
  }

  /** Knows the calls that can be suspended, of which several may be under way, each somewhere on the C stack. */
  private followSuspended(): void {
    const { module } = this;
    const { promisingApply } = module;
    const { prototype } = module.StackState;
    const { restore } = prototype;
    module.promisingApply = (...values) => {
      this.starts(module.___stack_pointer.value, ROOM, SEGMENT);
      this.limit(this.end);
      // For the thread state that is made when it is suspended, and that other calls have in that time.
      module._emscripten_stack_set_limits(this.base, this.end - 2 * MARGINS);
      return promisingApply(...values);
    };
    const goesOn = (): void => this.starts(module.stackStop, ROOM, SEGMENT);
    prototype.restore = function (this: unknown) {
      const copied = restore.call(this);
      goesOn();
      return copied;
    };
  }

  /** Python is called with the C stack's pointer at `floor`, or goes on with such a call. */
  private starts(floor: number, room: number, segment: number): void {
    this.floor = floor;
    this.end = floor - room;
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
      this.starts(this.module.___stack_pointer.value, this.loopRoom, Math.min(SEGMENT, this.loopRoom >> 1));
      this.limit(this.end);
    }
  }

  /** Whether a call below the threshold is to go on elsewhere. */
  private readonly leaves = (): number =>
    this.module.validSuspender.value && this.module.___stack_pointer.value > this.floor - FIRST_SEGMENT ? 0 : 1;

  /** @returns null where Pyodide's module does not fit. */
  static for(module: Partial<GuardedModule>): StackGuard | null {
    const fits = module._PyUnstable_ThreadState_SetStackProtection && module.___stack_pointer && module.memory;
    return fits ? new StackGuard(module as GuardedModule) : null;
  }

  /** Puts the guards into the table. */
  guard(objects: GuardedObjects): void {
    this.pad(deallocBytes, objects.dealloc, Offset.tpDealloc);
    this.pad(compareBytes, objects.compare, Offset.tpRichcompare);
    const { module } = this;
    const where = module._malloc(1);
    module.HEAPU8[where] = 0;
    this.pad(hashBytes, [objects.hash], Offset.tpHash, {
      enter: module._Py_EnterRecursiveCall,
      leave: module._Py_LeaveRecursiveCall,
      where,
    });
    this.replace(this.word(objects.aFunction + this.word(objects.function + Offset.tpVectorcallOffset)), index =>
      this.running(index, 4),
    );
    for (const type of objects.generators) {
      const iternext = this.word(type + Offset.tpIternext);
      const methods = this.word(type + Offset.tpAsAsync);
      const send = methods && this.word(methods + Offset.amSend);
      if (iternext) {
        this.replace(iternext, index => this.running(index, 1));
      }
      if (send) {
        this.replace(send, index => this.running(index, 3));
      }
    }
    const builtin = (address: number): number => this.word(address + Offset.builtinDefinition);
    const evaluate = objects.evaluate.map(builtin);
    for (const definition of [
      ...evaluate,
      ...objects.builtins.map(builtin),
      ...objects.methods.map(address => this.word(address + Offset.methodDefinition)),
    ]) {
      this.replace(this.word(definition + Offset.mlMeth), index => this.running(index, this.arity(definition)));
    }
    const compile = builtin(objects.compile);
    this.give(COMPILER_ROOM, this.word(compile + Offset.mlMeth), this.arity(compile));
    for (const definition of objects.pickle.map(builtin)) {
      this.give(PICKLE_ROOM, this.word(definition + Offset.mlMeth), this.arity(definition));
    }
    this.give(JSON_ROOM, this.word(objects.scanner + Offset.tpCall), 3);
    const prepares = [objects.prepareEval, objects.prepareExec];
    evaluate.forEach((definition, i) => this.prepare(definition, prepares[i], objects));
    this.prepare(compile, objects.check, objects);
  }

  private word(address: number): number {
    return this.module.HEAPU32[address >>> 2];
  }

  private arity(definition: number): Arity {
    return ARITY[this.word(definition + Offset.mlFlags)];
  }

  private readonly replaced = new Set<number>();

  /** Puts another function into a place of the table, once; `make` gets the place where the present one goes. */
  private replace(index: number, make: (index: number) => unknown): void {
    const { wasmTable } = this.module;
    if (this.replaced.has(index)) {
      return;
    }
    this.replaced.add(index);
    const moved = wasmTable.grow(1);
    wasmTable.set(moved, wasmTable.get(index));
    wasmTable.set(index, make(moved));
  }

  private pad(bytes: BufferSource, types: number[], slot: number, further: WebAssembly.ModuleImports = {}): void {
    const { wasmTable, ___stack_pointer: stack_pointer } = this.module;
    const padded = new WebAssembly.Module(bytes);
    for (const index of new Set(types.map(type => this.word(type + slot)))) {
      const python = { stack_pointer, padding: PADDING, target: wasmTable.get(index), ...further };
      wasmTable.set(index, new WebAssembly.Instance(padded, { python }).exports.padded);
    }
  }

  /** A function in the place of the one at `target`: it runs that, on another stack below the threshold. */
  private running(target: number, arity: Arity, room?: number): unknown {
    const { wasmTable: table, ___stack_pointer: stack_pointer } = this.module;
    const enter = (...values: Parameters<Run>): number => this.enter(exports as unknown as Guarded, run, values, room);
    const { exports } = new WebAssembly.Instance(this.guarded, {
      python: { table, target, stack_pointer },
      // What asks for its own room always gets it on another stack.
      guard: room
        ? { threshold: mutable(-1), leaves: () => 1, enter }
        : { threshold: this.threshold, leaves: this.leaves, enter },
    });
    const stay = exports[`run${arity}`] as Run;
    const run = promising ? promising(stay) : stay;
    return exports[`call${arity}`];
  }

  /** Gives a function of C so much of the C stack. */
  private give(room: number, index: number, arity: Arity): void {
    this.replace(index, target => this.running(target, arity, room));
  }

  /** Lets Python look at a long source first. */
  private prepare(definition: number, prepare: number, { sources: [str, bytes] }: GuardedObjects): void {
    const { memory, wasmTable, _Py_DecRef: release, _PyObject_CallOneArg: call } = this.module;
    const index = this.word(definition + Offset.mlMeth);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(sourceBytes), {
      python: { memory, str, bytes, release, next: wasmTable.get(index) },
      guard: { length: LONG_SOURCE, prepare: (source: number) => call(prepare, source) },
    });
    wasmTable.set(index, exports.call4);
  }

  /** Calls a guarded function where C code has `room` bytes of the C stack, if there is any room. */
  private enter(guarded: Guarded, run: Run, values: Parameters<Run>, room = ROOM): number {
    const { module, threshold, end } = this;
    const { validSuspender } = module;
    const pointer = module.___stack_pointer.value;
    const before = { threshold: threshold.value, suspender: validSuspender.value };
    const deep = pointer < this.floor - FIRST_SEGMENT;
    // Where a new stack is begun at little depth, what is left of this one decides nothing: it is not measured.
    const left = deep || !promising ? this.left() : ROOM;
    if (!deep || (promising ? left > 0 : left > LEAST_ROOM)) {
      this.limit(pointer - (promising || room !== ROOM ? room : Math.min(ROOM, left)));
    } else {
      // No further than allowed so far. A limit above the pointer would be fatal to C code that is deeper than it knows.
      this.limit(Math.max(end, pointer - LEAST_ROOM));
    }
    threshold.value = pointer - (promising ? SEGMENT : Math.max(LEAST_ROOM, Math.min(SEGMENT, left >> 1)));
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
      this.limit(end);
    }
  }

  /** C stack that goes with what is left of the engine's where JavaScript runs, bytes; none for one stack too many. */
  private left(): number {
    const free = this.stacks === MOST_STACKS ? 0 : this.free();
    return Math.trunc((free - this.reserve) / RATIO);
  }

  /** Lets CPython go down to `end` on the C stack, and raise RecursionError below. */
  private limit(end: number): void {
    const { module } = this;
    end = Math.max(end, this.lowest);
    this.end = end;
    const start = Math.min(end - MARGINS, this.base - LEAST_STACK);
    module._PyUnstable_ThreadState_SetStackProtection(module._PyThreadState_Get(), start, this.base - start);
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
