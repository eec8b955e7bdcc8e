/**
 * How CPython is told how far C code may call itself.
 *
 * CPython 3.14 measures its C stack and is given a limit on it: `StackLimit`. CPython 3.12 and 3.13 count such calls
 * down from a number, which is set here: `CallLimit`. Either way what is allowed is less than what CPython would allow
 * by itself, and goes with what the engine's stack has room for.
 */

/** What recurses: C code in general, the compiler, pickling, reading and writing JSON. */
export type Use = 'any' | 'compiler' | 'pickle' | 'json';

/** What both kinds need of Pyodide's module. */
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
  /** Whether it is the C stack that CPython measures. */
  readonly measures: boolean;
  /** What holds now, for `restore`. */
  current(): number;
  restore(limit: number): void;
  /**
   * Lets C code recurse as suits its use, from `pointer` on the C stack.
   *
   * @param engine Bytes of the engine's stack that are there for it.
   */
  allow(pointer: number, use: Use, engine: number): void;
  /** Lets C code recurse no further than allowed so far, and only to the next check. */
  narrow(pointer: number): void;
  /** What holds for a call that began at `pointer` and goes on now. */
  resumed(pointer: number): void;
  /** A call that can be suspended begins: what other calls have while it is, is set too. */
  suspendable(): void;
}

/** Bytes of the engine's stack that C code takes for each byte of the C stack, at most. */
export const RATIO = 8;
/** C stack for code that recurses without Python, bytes. */
const ROOM = 80 * 1024;
/** C stack that code gets where the engine's stack is used up, bytes: to get to the next check. */
export const LEAST_ROOM = 24 * 1024;
/** CPython raises RecursionError this far above the start of the stack it is given, bytes. */
const MARGINS = 16 * 1024;
/** The least stack that CPython takes, bytes. */
const LEAST_STACK = 32 * 1024;

/** C stack by its use, bytes. */
const ROOMS: Record<Use, number> = {
  any: ROOM,
  // Its frames take much of the C stack and little of the engine's.
  compiler: 3 * 1024 * 1024,
  pickle: 320 * 1024,
  // Its frames take next to nothing of the C stack.
  json: 48 * 1024,
};

/** CPython 3.14: a limit is an address on the C stack. */
export class StackLimit implements RecursionLimit {
  readonly measures = true;
  private readonly base: number;
  /** The limit gets no lower: what CPython keeps free is below, and then the stack's end. */
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
    const start = Math.min(end - MARGINS, this.base - LEAST_STACK);
    module._PyUnstable_ThreadState_SetStackProtection(module._PyThreadState_Get(), start, this.base - start);
  }

  allow(pointer: number, use: Use, engine: number): void {
    this.restore(pointer - (use === 'any' ? Math.min(ROOM, Math.trunc(engine / RATIO)) : ROOMS[use]));
  }

  narrow(pointer: number): void {
    // A limit above the pointer would be fatal to C code that is deeper than it knows.
    this.restore(Math.max(this.end, pointer - LEAST_ROOM));
  }

  resumed(pointer: number): void {
    this.end = pointer - ROOM; // its thread state has it
  }

  suspendable(): void {
    // For the thread state that is made when it is suspended.
    this.module._emscripten_stack_set_limits(this.base, this.end - 2 * MARGINS);
  }
}

/** Calls by their use: as many as a new stack of the engine's holds, whichever of its compilers made the code. */
const CALLS: Record<Use, number> = { any: 640, compiler: 4000, pickle: 8000, json: 4000 };
/** Bytes of the engine's stack for each such call, at most. */
const CALL: Record<Use, number> = { any: 1024, compiler: 192, pickle: 96, json: 192 };
/** Calls where the engine's stack is used up. */
const LEAST_CALLS = 160;
/** Bytes of the C stack that each call may take, and that are left for those that take more. */
const CALL_ROOM = 512;
const SPARE_ROOM = 512 * 1024;
/** Words of the thread state among which the number is: the seventh in CPython 3.12, the tenth in 3.13. */
const STATE_WORDS = 24;

/** CPython 3.12 and 3.13: a limit is the number of calls that are left, in the thread state. */
export class CallLimit implements RecursionLimit {
  readonly measures = false;
  private readonly lowest: number;

  /**
   * @param offset Bytes into the thread state.
   * @param most What CPython starts with.
   */
  private constructor(
    private readonly module: CallLimitModule,
    private readonly offset: number,
    private readonly most: number,
  ) {
    this.lowest = module._emscripten_stack_get_end() + SPARE_ROOM;
  }

  /** Looks for the number by what changes it, and what does not. @returns null where there is none. */
  static for(module: Partial<CallLimitModule>): CallLimit | null {
    if (!module._Py_SetRecursionLimit || !module._Py_EnterRecursiveCall) {
      return null;
    }
    const python = module as CallLimitModule;
    const state = python._PyThreadState_Get();
    const words = (): number[] => [...python.HEAP32.subarray(state >> 2, (state >> 2) + STATE_WORDS)];
    /** What `act` adds to the words it changes, by their index. */
    const changes = (act: () => void): Map<number, number> => {
      const before = words();
      act();
      return new Map(words().flatMap((word, i) => (word === before[i] ? [] : [[i, word - before[i]]])));
    };
    const entered = changes(() => python._Py_EnterRecursiveCall(0)); // no text is needed where no error is raised
    const left = changes(() => python._Py_LeaveRecursiveCall());
    const limit = python._Py_GetRecursionLimit();
    // CPython 3.11 counts Python's own calls in the same place.
    const limited = changes(() => python._Py_SetRecursionLimit(limit + 1));
    python._Py_SetRecursionLimit(limit);
    const [index] = entered.keys();
    const fits = entered.size === 1 && entered.get(index) === -1 && left.size === 1 && left.get(index) === 1;
    const most = words()[index];
    return fits && !limited.has(index) && most >= LEAST_CALLS ? new CallLimit(python, 4 * index, most) : null;
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
    this.restore(Math.min(this.current(), LEAST_CALLS));
  }

  resumed(): void {
    // Pyodide has kept its number.
  }

  suspendable(): void {
    // Other calls go on with the number that is there.
  }
}
