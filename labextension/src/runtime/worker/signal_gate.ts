/**
 * Answers CPython in WebAssembly when it asks for a signal.
 *
 * CPython asks by calling an imported function. Its loop does so now and then, and C code such as `str` does so for each value.
 * Pyodide provides a JavaScript function for this import, its helper. A door (`native/gate_door.wat`) takes the helper's place. It
 * calls the helper if somebody wants CPython to ask. A few of the other questions go on to the gate (`native/gate.wat`), which calls
 * the helper if timed work may be due.
 */
import { Control } from '../protocol';
import gateBytes from './native/gate.wat';
import doorBytes from './native/gate_door.wat';
import doorAloneBytes from './native/gate_door.wat?unshared';
import type { Env } from './wasm_imports';

/** CPython's clock starts at this number and counts down at each check of its loop. At the end CPython asks, and starts it again. */
export const CLOCK_START = 50;
/** Name of the imported function. */
const HELPER = '_Py_CheckEmscriptenSignals_Helper';
/** Most checks of the loop between two looks at the time when a cell begins. A sixteenth of those that have been made comes on top. */
export const FIRST_CHECKS = 8;
/** Most checks between two looks at any time. */
export const MAX_CHECKS = 400;
/**
 * Of questions that come quickly, the door passes on one in this number. With CPython's clock, they are `CLOCK_START` times as many checks
 * of the loop.
 */
const PASSED_ON = 8;

/** Ms between two calls of JavaScript for timed work. Such a call takes some microseconds, and more if the code before it has filled the caches. */
const WORK_GAP_MS = 4;

type Check = () => number;

/** What `gate_door.wat` exports. */
interface Door {
  table: WebAssembly.Table;
  check: Check;
  pass(number: number): void;
}

/** What `gate.wat` exports. */
interface Gate {
  check: Check;
  interval: WebAssembly.Global<'i32'>;
  start(): void;
  look(isForLoop: number): number;
  set(checks: number): void;
}

const instance = (bytes: BufferSource, imports: WebAssembly.Imports): WebAssembly.Exports =>
  new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;

export class SignalGate {
  /** Pyodide's function. */
  private helper: Check | null = null;
  /** What CPython calls. */
  private door: Door | null = null;
  private gate: Gate | null = null;

  /** @param control - the memory of the control block */
  constructor(private readonly control: WebAssembly.Memory) {}

  /** Puts the gate's door into a module that imports the function. Pyodide 0.26 and later do. Other modules stay unchanged. */
  place(env: Env): void {
    const helper = env[HELPER];
    if (typeof helper === 'function') {
      this.helper = helper as Check;
      const control = { memory: this.control, page: Control.Interrupt * 4, worker: Control.Wanted * 4 };
      const bytes = this.control.buffer instanceof ArrayBuffer ? doorAloneBytes : doorBytes;
      this.door = instance(bytes, { pyodide: { helper }, control }) as unknown as Door;
      env[HELPER] = this.door.check;
    }
  }

  /**
   * Makes the gate answer from now on.
   *
   * @param memory - the memory of CPython
   * @param clock - the address of its clock
   * @returns false if no module imports the function, so that there is no gate.
   */
  open(memory: WebAssembly.Memory, clock: number): boolean {
    if (!this.door) {
      return false;
    }
    const gate = instance(gateBytes, {
      python: { memory, clock, clock_start: CLOCK_START },
      time: { now: Date.now },
      pyodide: { helper: this.helper! },
      door: { pass: this.door.pass, passed_on: PASSED_ON },
      pace: { first: FIRST_CHECKS, most: MAX_CHECKS, gap: WORK_GAP_MS },
    }) as unknown as Gate;
    this.door.table.set(0, gate.check);
    this.gate = gate;
    return true;
  }

  /** Checks of CPython's loop between two looks at the time, at present. */
  get interval(): number {
    return this.gate!.interval.value;
  }

  set interval(checks: number) {
    this.gate!.interval.value = checks;
  }

  /** The user's code begins. Nobody knows yet how long its steps take. */
  start(): void {
    this.gate!.start();
  }

  /**
   * Handles a question that has come to JavaScript: one of the loop also sets the pace again.
   *
   * @returns whether timed work is due, which then counts as done.
   */
  look(isForLoop: boolean): boolean {
    return this.gate!.look(Number(isForLoop)) === 1;
  }

  /** Lets the loop call JavaScript after so many checks. */
  set(checks: number): void {
    this.gate!.set(checks);
  }
}
