/**
 * Sets CPython's limit on how deeply C code may recurse.
 *
 * CPython 3.14 measures its C stack: `StackLimit` moves the address at which the stack ends. CPython 3.12 and 3.13 count calls
 * down from a number: `CallLimit` sets that number. Both allow less than CPython would by itself, as much as fits on the
 * engine's stack.
 */
import { mutable } from './wasm_global';

/** The kinds of code that recurse: C code in general, the compiler, pickling, reading and writing JSON. */
export type Use = 'any' | 'compiler' | 'pickle' | 'json';

/** What both kinds of limit need of Pyodide's module. */
interface PythonModule {
  readonly HEAP32: Int32Array;
  _emscripten_stack_get_base(): number;
  _emscripten_stack_get_end(): number;
  _PyThreadState_Get(): number;
}

export interface StackLimitModule extends PythonModule {
  _emscripten_stack_set_limits(base: number, end: number): void;
  _PyUnstable_ThreadState_SetStackProtection(threadState: number, start: number, size: number): number;
}

export interface CallLimitModule extends PythonModule {
  _Py_EnterRecursiveCall(where: number): number;
  _Py_LeaveRecursiveCall(): void;
  _Py_GetRecursionLimit(): number;
  _Py_SetRecursionLimit(limit: number): void;
}

export interface RecursionLimit {
  /** Whether CPython measures its C stack; else it counts calls. */
  readonly measures: boolean;
  /** Address on the C stack below which CPython does other things than raise RecursionError: see `stack_refusals.ts`. */
  readonly near: WebAssembly.Global<'i32'>;
  /** The present limit, for `restore`. */
  current(): number;
  restore(limit: number): void;
  /**
   * Lets C code recurse as far as suits its use, counted from `pointer` on the C stack.
   *
   * @param engine Bytes of the engine's stack that it may use.
   */
  allow(pointer: number, use: Use, engine: number): void;
  /** Keeps the present limit, or lowers it so that code gets only to the next check. */
  narrow(pointer: number): void;
  /** Allows no further call, with the C stack at `pointer`. */
  exhaust(pointer: number): void;
  /** A suspended call that began at `pointer` continues now. */
  resumed(pointer: number): void;
  /** A call that can be suspended begins. Prepares the limit of the calls that run while it is suspended. */
  suspendable(): void;
}

/** Bytes of the engine's stack that C code takes for each byte of the C stack, at most. */
export const RATIO = 8;
/** Bytes of the C stack for code that recurses without running Python. */
const ROOM = 80 * 1024;
/** Bytes of the C stack that code gets when the engine's stack is used up: enough to get to the next check. */
export const MIN_ROOM = 24 * 1024;
/** CPython raises RecursionError this far above the start of the stack it is given, bytes. */
const MARGINS = 16 * 1024;
/** A limit this many bytes above the pointer is exceeded, but not by so much that CPython calls it fatal. */
const MIN_MARGIN = 1024;
/** The smallest stack that CPython accepts, bytes. */
const MIN_STACK = 32 * 1024;

/**
 * With fewer bytes of the C stack left, CPython 3.14 puts off deallocation and parses nothing. Includes what functions use before
 * CPython looks.
 */
const NEAR_ROOM = 20 * 1024;

/** Bytes of the C stack for each use, if the engine's stack has room for them. */
const ROOMS: Record<Use, number> = {
  any: ROOM,
  // Its frames take much of the C stack and little of the engine's.
  compiler: 3 * 1024 * 1024,
  pickle: 320 * 1024,
  // Its frames take almost none of the C stack.
  json: 48 * 1024,
};

/** Bytes of the engine's stack that each use takes for each byte of the C stack, at most. */
const RATIOS: Record<Use, number> = { any: RATIO, compiler: 1 / 3, pickle: 1.1, json: 20 };

/** CPython 3.14: the limit is an address on the C stack. */
export class StackLimit implements RecursionLimit {
  readonly measures = true;
  readonly near = mutable(0);
  private readonly base: number;
  /** The lowest possible limit. Below it are the margins that CPython keeps free, then the stack's end. */
  private readonly lowest: number;
  private end: number;

  constructor(private readonly module: StackLimitModule) {
    this.base = this.end = module._emscripten_stack_get_base();
    this.lowest = module._emscripten_stack_get_end() + 2 * MARGINS;
  }

  static for(module: Partial<StackLimitModule>): StackLimit | null {
    return module._PyUnstable_ThreadState_SetStackProtection ? new StackLimit(module as StackLimitModule) : null;
  }

  current(): number {
    return this.end;
  }

  restore(limit: number): void {
    const { module } = this;
    const end = Math.max(limit, this.lowest);
    this.end = end;
    this.near.value = end + NEAR_ROOM;
    const start = Math.min(end - MARGINS, this.base - MIN_STACK);
    module._PyUnstable_ThreadState_SetStackProtection(module._PyThreadState_Get(), start, this.base - start);
  }

  allow(pointer: number, use: Use, engine: number): void {
    this.restore(pointer - Math.trunc(Math.min(ROOMS[use], Math.max(0, engine) / RATIOS[use])));
  }

  narrow(pointer: number): void {
    // A limit above the pointer would be fatal: C code may already be deeper than CPython has noticed.
    this.restore(Math.max(this.end, pointer - MIN_ROOM));
  }

  exhaust(pointer: number): void {
    this.restore(pointer + MIN_MARGIN);
  }

  resumed(pointer: number): void {
    this.end = pointer - ROOM; // set already, in the call's own thread state
    this.near.value = this.end + NEAR_ROOM;
  }

  suspendable(): void {
    // The thread state that is made when the call is suspended takes its limit from here.
    this.module._emscripten_stack_set_limits(this.base, this.end - 2 * MARGINS);
  }
}

/** Calls for each use: as many as fit on a further stack of the engine, whichever of its compilers made the code. */
const CALLS: Record<Use, number> = { any: 640, compiler: 4000, pickle: 8000, json: 2800 };
/** Bytes of the engine's stack that one such call takes, at most. */
const CALL: Record<Use, number> = { any: 1024, compiler: 224, pickle: 112, json: 320 };
/** Calls that code gets when the engine's stack is used up. */
const MIN_CALLS = 160;
/** Bytes of the C stack that one call takes, as a rule. */
const CALL_ROOM = 512;
/** Bytes of the C stack that are kept free for calls that take more. */
const SPARE_ROOM = 512 * 1024;
/** How many words of the thread state are searched for the number: it is the seventh in CPython 3.12, the tenth in 3.13. */
const STATE_WORDS = 24;

/** CPython 3.12 and 3.13: the limit is the number of calls that are left, in the thread state. */
export class CallLimit implements RecursionLimit {
  readonly measures = false;
  readonly near = mutable(0); // no address is lower
  private readonly lowest: number;

  /**
   * @param offset Where the number is in the thread state, in bytes.
   * @param most The number with which CPython starts.
   */
  private constructor(
    private readonly module: CallLimitModule,
    private readonly offset: number,
    private readonly most: number,
  ) {
    this.lowest = module._emscripten_stack_get_end() + SPARE_ROOM;
  }

  /**
   * Finds the number: it is the word that entering and leaving a C call changes, and that Python's own limit does not.
   *
   * @returns null where there is no such word.
   */
  static for(module: Partial<CallLimitModule>): CallLimit | null {
    if (!module._Py_SetRecursionLimit || !module._Py_EnterRecursiveCall) {
      return null;
    }
    const python = module as CallLimitModule;
    const state = python._PyThreadState_Get();
    const words = (): number[] => [...python.HEAP32.subarray(state >> 2, (state >> 2) + STATE_WORDS)];
    /** The words that `act` changes: their index, and by how much. */
    const changes = (act: () => void): Map<number, number> => {
      const before = words();
      act();
      return new Map(words().flatMap((word, i) => (word === before[i] ? [] : [[i, word - before[i]]])));
    };
    const entered = changes(() => python._Py_EnterRecursiveCall(0)); // the text is used only when an error is raised
    const left = changes(() => python._Py_LeaveRecursiveCall());
    const limit = python._Py_GetRecursionLimit();
    // CPython 3.11 counts Python's own calls in the same place.
    const limited = changes(() => python._Py_SetRecursionLimit(limit + 1));
    python._Py_SetRecursionLimit(limit);
    const [index] = entered.keys();
    const fits = entered.size === 1 && entered.get(index) === -1 && left.size === 1 && left.get(index) === 1;
    const most = words()[index];
    return fits && !limited.has(index) && most >= MIN_CALLS ? new CallLimit(python, 4 * index, most) : null;
  }

  private get index(): number {
    return (this.module._PyThreadState_Get() + this.offset) >> 2;
  }

  current(): number {
    return this.module.HEAP32[this.index];
  }

  restore(limit: number): void {
    this.module.HEAP32[this.index] = limit;
  }

  allow(pointer: number, use: Use, engine: number): void {
    const calls = Math.min(CALLS[use], engine / CALL[use], (pointer - this.lowest) / CALL_ROOM, this.most);
    this.restore(Math.max(0, Math.trunc(calls)));
  }

  narrow(): void {
    this.restore(Math.min(this.current(), MIN_CALLS));
  }

  exhaust(): void {
    this.restore(0);
  }

  resumed(): void {
    // Pyodide has kept the call's number.
  }

  suspendable(): void {
    // Other calls continue with the present number.
  }
}
