/**
 * Answers CPython in WebAssembly when it asks for a signal.
 *
 * CPython asks by calling an imported function. Its loop does so now and then, and C code such as `str` does so for each value.
 * Pyodide provides a JavaScript function for this import, its helper. The gate (`native/gate.wat`) takes the helper's place. It
 * calls the helper only if somebody wants CPython to ask, or if timed work may be due.
 */
import { Control } from '../protocol';
import gateBytes from './native/gate.wat';
import doorBytes from './native/gate_door.wat';
import wantedBytes from './native/gate_wanted.wat';
import wantedAloneBytes from './native/gate_wanted_alone.wat';
import type { Env } from './wasm_imports';

/** CPython's clock starts at this number and counts down at each check of its loop. At the end CPython asks, and starts it again. */
export const CLOCK_START = 50;
/** Name of the imported function. */
const HELPER = '_Py_CheckEmscriptenSignals_Helper';
/** Most questions of C code that the gate answers itself, in a row. */
const MAX_ASKS = 256;
/** The number of such questions at first, and again whenever a millisecond has passed. */
const FIRST_ASKS = 32;

type Check = () => number;

interface Gate {
  check: Check;
  rounds: WebAssembly.Global<'i32'>;
  asks: WebAssembly.Global<'i32'>;
}

const instance = (bytes: BufferSource, imports: WebAssembly.Imports): WebAssembly.Exports =>
  new WebAssembly.Instance(new WebAssembly.Module(bytes), imports).exports;

export class SignalGate {
  /** Pyodide's function. */
  private helper: Check | null = null;
  /** A table with one entry, the function that CPython calls: at first the helper, later the gate. */
  private door: WebAssembly.Table | null = null;
  private gate: Gate | null = null;
  /** Number of questions of C code that the gate answers itself before it calls the helper. */
  private asks = FIRST_ASKS;

  /** @param control - the memory of the control block */
  constructor(private readonly control: WebAssembly.Memory) {}

  /** Puts the gate's door into a module that imports the function. Pyodide 0.26 and later do. Other modules stay unchanged. */
  place(env: Env): void {
    const helper = env[HELPER];
    if (typeof helper === 'function') {
      this.helper = helper as Check;
      const { table, check } = instance(doorBytes, { pyodide: { helper } });
      this.door = table as WebAssembly.Table;
      env[HELPER] = check;
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
    const words = {
      memory: this.control,
      page: Control.Interrupt * 4,
      worker: Control.Wanted * 4,
    };
    const alone = this.control.buffer instanceof ArrayBuffer;
    const { wanted } = instance(alone ? wantedAloneBytes : wantedBytes, { control: words });
    const gate = instance(gateBytes, {
      python: { memory, clock, clock_start: CLOCK_START },
      control: { wanted: wanted as Check },
      pyodide: { helper: this.helper! },
    }) as unknown as Gate;
    this.door.set(0, gate.check);
    this.gate = gate;
    return true;
  }

  /** Sets after how many rounds of `CLOCK_START` checks of CPython's loop the helper is called again. */
  letLoop(rounds: number): void {
    this.gate!.rounds.value = rounds;
  }

  /** Sets after how many questions of C code the helper is called again. The number doubles while they take less than a millisecond. */
  letAsk(passedMs: number): void {
    this.asks = passedMs > 0 ? FIRST_ASKS : Math.min(this.asks * 2, MAX_ASKS);
    this.gate!.asks.value = this.asks;
  }
}
