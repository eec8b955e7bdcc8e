/**
 * Lets deep calls continue on further stacks of the engine.
 *
 * A *further stack* is one more call that could be suspended (JSPI), though it never is: engines give each such call a stack
 * of its own. A guarded function takes one whenever the C stack has grown by `SEGMENT` since the last one. Where the engine has
 * no such stacks, the call stays on the one there is, and the rest of it is measured. Either way CPython's limit is then set to
 * what is left for C code that recurses without running Python.
 */
import type { Arity } from './cpython_layout';
import { EngineStack } from './engine_stack';
import guardedBytes from './native/guarded.wat';
import { MIN_ROOM, RATIO, type RecursionLimit, type Use } from './recursion_limits';
import { mutable } from './wasm_global';

/** Makes a function run on a stack of its own, where the engine has such stacks. */
const { promising } = WebAssembly as { promising?: (run: Run) => Run };

/** Whether the engine has further stacks. Else all calls share one, which in Chromium's workers has about 450 KB. */
export const HAS_FURTHER_STACKS = promising !== undefined;

/** Free bytes on a further stack: more than any use is allowed. */
const FURTHER_STACK = Infinity;
/** Bytes of the engine's stack that are kept for handling the error. */
const RESERVE = 80 * 1024;
/** Growth of the C stack, in bytes, after which code continues on a further stack. */
const SEGMENT = 32 * 1024;
/** The same for the first stack of a call that can be suspended: code on a further stack cannot be. */
const FIRST_SEGMENT = 56 * 1024;
/** Further stacks at the same time. */
const MAX_STACKS = 200;

/** Calls the guarded function and leaves its result in `result`. */
type Run = (a: number, b: number, c: number, d: number, e: number) => void;

/** Exports of `native/guarded.wat`. */
interface Guarded {
  result: WebAssembly.Global<'i32'>;
  returned: WebAssembly.Global<'i32'>;
}

export interface StacksModule {
  wasmTable: WebAssembly.Table;
  /** Whether the running code can be suspended. */
  validSuspender: { value: boolean };
  /** Begins a call that can be suspended. */
  promisingApply(...values: unknown[]): Promise<unknown>;
  /** Where the C stack was when the running call began, if that call can be suspended. */
  stackStop: number;
  /** The C stack of a suspended call; `restore` lets the call continue. */
  StackState: { prototype: { restore(): number } };
  ___stack_pointer: WebAssembly.Global<'i32'>;
  _emscripten_stack_get_base(): number;
}

export class FurtherStacks {
  /** Where the C stack was when JavaScript called Python. */
  private floor: number;
  /** Below this address of the C stack, guarded functions ask whether to continue on a further stack. */
  private readonly threshold = mutable(0);
  private readonly guarded = new WebAssembly.Module(guardedBytes);
  private readonly engine = new EngineStack();
  /** Further stacks that are in use. */
  private stacks = 0;
  /** Whether a call that can be suspended has begun, but no guarded function has been called in it yet. */
  private isFirst = false;
  /** Bytes of the present stack that must be free before a call takes a further one. */
  private readonly reserve: number;
  /** Bytes of the event loop's stack that C code may use. It is the smallest stack: in Chromium's workers about 450 KB. */
  private readonly loopRoom: number;

  constructor(
    private readonly module: StacksModule,
    private readonly limit: RecursionLimit,
  ) {
    this.floor = module._emscripten_stack_get_base();
    const free = this.engine.free();
    // With further stacks, only callbacks from JavaScript use this one up, and each costs time on the way back.
    this.reserve = promising ? Math.max(RESERVE, free * 0.6) : RESERVE;
    this.loopRoom = Math.max(2 * MIN_ROOM * RATIO, free - RESERVE);
    this.turn();
    this.followSuspended();
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

  /** Returns a function for the table that calls the one at `target`, on a further stack below the threshold. */
  guard(target: number, arity: Arity, use: Use): unknown {
    const { wasmTable: table, ___stack_pointer: stack_pointer } = this.module;
    const enter = (...values: Parameters<Run>): number => this.enter(exports as unknown as Guarded, run, values, use);
    const { exports } = new WebAssembly.Instance(this.guarded, {
      python: { table, target, stack_pointer },
      // The compiler, pickling and JSON always get a further stack.
      guard:
        use === 'any'
          ? { threshold: this.threshold, leaves: this.leaves, enter }
          : { threshold: mutable(-1), leaves: () => 1, enter },
    });
    const stay = exports[`run${arity}`] as Run;
    const run = promising ? promising(stay) : stay;
    return exports[`call${arity}`];
  }

  /** Follows the calls that can be suspended. Several may be under way, each somewhere else on the C stack. */
  private followSuspended(): void {
    const { module, limit } = this;
    const { promisingApply } = module;
    const { prototype } = module.StackState;
    const { restore } = prototype;
    module.promisingApply = (...values) => {
      const pointer = module.___stack_pointer.value;
      this.starts(pointer, SEGMENT);
      limit.allow(pointer, 'any', FURTHER_STACK);
      limit.suspendable();
      if (!limit.measures) {
        // Pyodide 0.27 sets the number of calls itself once such a call has begun, so the first function sets it again.
        this.isFirst = true;
        this.threshold.value = -1; // no address is higher
      }
      return promisingApply(...values);
    };
    const continues = (): void => {
      this.starts(module.stackStop, SEGMENT);
      limit.resumed(module.stackStop);
    };
    prototype.restore = function (this: unknown) {
      const copied = restore.call(this);
      continues();
      return copied;
    };
  }

  /** Python is called with the C stack's pointer at `floor`, or such a call continues. */
  private starts(floor: number, segment: number): void {
    this.isFirst = false;
    this.floor = floor;
    this.threshold.value = floor - segment;
  }

  /** Sets the limit in the first guarded function of a call. @returns whether this was the first. */
  private startsFirst(): boolean {
    const { module, isFirst, floor, limit } = this;
    if (isFirst) {
      this.starts(floor, SEGMENT);
      limit.allow(module.___stack_pointer.value, 'any', FURTHER_STACK);
    }
    return isFirst;
  }

  /** Whether a call below the threshold continues on a further stack. */
  private readonly leaves = (): number =>
    this.startsFirst() ||
    (this.module.validSuspender.value && this.module.___stack_pointer.value > this.floor - FIRST_SEGMENT)
      ? 0
      : 1;

  /** Calls a guarded function on a further stack, and sets CPython's limit to the room that its use has there. */
  private enter(guarded: Guarded, run: Run, values: Parameters<Run>, use: Use): number {
    const { module, threshold, limit } = this;
    const { validSuspender } = module;
    const pointer = module.___stack_pointer.value;
    const before = { threshold: threshold.value, suspender: validSuspender.value, limit: limit.current() };
    const deep = pointer < this.floor - FIRST_SEGMENT;
    // A call that is not deep gets a further stack in any case, so the rest of this one need not be measured.
    const left = deep || !promising ? this.left() : FURTHER_STACK;
    const room = !deep || (promising ? left > 0 : left > MIN_ROOM * RATIO);
    if (room) {
      limit.allow(pointer, use, promising ? FURTHER_STACK : left);
    } else {
      limit.narrow(pointer);
    }
    threshold.value = pointer - (promising ? SEGMENT : Math.max(MIN_ROOM, Math.min(SEGMENT, left / RATIO / 2)));
    validSuspender.value = false;
    guarded.returned.value = 0;
    this.stacks++;
    try {
      const promise = run(...values) as unknown;
      if (!guarded.returned.value) {
        (promise as Promise<void> | undefined)?.catch(() => undefined); // the error is thrown here instead
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

  /** Bytes of the present stack that may be used. None once `MAX_STACKS` are in use. */
  private left(): number {
    return this.stacks === MAX_STACKS ? 0 : this.engine.free() - this.reserve;
  }
}
