/**
 * Answers CPython in WebAssembly when it asks for a signal.
 *
 * CPython asks by calling an imported function: its loop does so now and then, C code such as `str` for each value. Pyodide
 * imports a JavaScript function, its helper. The gate (`native/gate.wat`) comes before the helper, and calls it only if
 * somebody wants CPython to ask, or if timed work may be due.
 */
import { Control } from '../protocol';
import gateBytes from './native/gate.wat';
import doorBytes from './native/gate_door.wat';
import wantedBytes from './native/gate_wanted.wat';
import wantedAloneBytes from './native/gate_wanted_alone.wat';

/** CPython counts its clock down from this number at each check of its loop. At the end it winds it up again, and asks. */
export const CLOCK_START = 50;
/** Name of the imported function. */
const HELPER = '_Py_CheckEmscriptenSignals_Helper';
/** At most so many questions of C code in a row does the gate answer itself. */
const MAX_ASKS = 256;
/** So many at first, and whenever a millisecond has passed. */
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
  /** Its one entry is what CPython calls: the helper, later the gate. */
  private door: WebAssembly.Table | null = null;
  private gate: Gate | null = null;
  /** So many questions of C code the gate answers itself, before it calls the helper. */
  private asks = FIRST_ASKS;

  /** @param control - the memory of the control block */
  constructor(private readonly control: WebAssembly.Memory) {}

  /**
   * Puts the gate's door into each WebAssembly module that imports the function, until the returned function is called.
   *
   * Pyodide 0.26 and later import it. Other modules are left as they are.
   */
  watch(): () => void {
    const { instantiate, instantiateStreaming } = WebAssembly;
    WebAssembly.instantiate = ((source: BufferSource, imports?: WebAssembly.Imports) => {
      this.place(imports);
      return instantiate.call(WebAssembly, source, imports);
    }) as typeof instantiate;
    WebAssembly.instantiateStreaming = (source, imports) => {
      this.place(imports);
      return instantiateStreaming.call(WebAssembly, source, imports);
    };
    return () => {
      WebAssembly.instantiate = instantiate;
      WebAssembly.instantiateStreaming = instantiateStreaming;
    };
  }

  private place(imports: WebAssembly.Imports | undefined): void {
    const helper = imports?.env?.[HELPER];
    if (typeof helper === 'function') {
      this.helper = helper as Check;
      const { table, check } = instance(doorBytes, { pyodide: { helper } });
      this.door = table as WebAssembly.Table;
      imports!.env[HELPER] = check;
    }
  }

  /**
   * Lets the gate answer from now on.
   *
   * @param memory - the memory of CPython
   * @param clock - the address of its clock
   * @returns whether there is a gate, and not the helper alone.
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

  /** After so many times `CLOCK_START` checks of CPython's loop, the helper is called again. */
  letLoop(rounds: number): void {
    this.gate!.rounds.value = rounds;
  }

  /** Sets after how many questions of C code the helper is called again: more and more of them, while they take no time. */
  letAsk(passedMs: number): void {
    this.asks = passedMs > 0 ? FIRST_ASKS : Math.min(this.asks * 2, MAX_ASKS);
    this.gate!.asks.value = this.asks;
  }
}
