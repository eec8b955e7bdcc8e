/**
 * Answers CPython's question for signals in WebAssembly.
 *
 * CPython asks by an import, from its loop and, for each value, from C code such as `str`. Pyodide's answer is JavaScript.
 * The gate (`native/gate.wat`) stands before it, and passes a question on when something is wanted, or when it is time to see to
 * what is due by time.
 */
import { Control } from '../protocol';
import gateBytes from './native/gate.wat';
import doorBytes from './native/gate_door.wat';
import wantedBytes from './native/gate_wanted.wat';
import wantedAloneBytes from './native/gate_wanted_alone.wat';

/** What CPython sets the clock to before it asks because the clock has run down. */
export const CLOCK_START = 50;
/** CPython's import. */
const HELPER = '_Py_CheckEmscriptenSignals_Helper';
/** Most questions of C code that pass between two looks. */
const MOST_ASKS = 256;
/** The same at first, and when a millisecond has passed. */
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
  private helper: Check | null = null;
  private door: WebAssembly.Table | null = null;
  private gate: Gate | null = null;
  private asks = FIRST_ASKS;

  /** @param control - the control block's */
  constructor(private readonly control: WebAssembly.Memory) {}

  /**
   * Puts the gate into what is instantiated with CPython's import, until the function that is returned is called.
   *
   * Pyodide 0.26 and later have the import; elsewhere nothing is changed.
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
   * Begins to answer.
   *
   * @param memory - CPython's
   * @param clock - the address of its clock
   * @returns whether there is a gate.
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

  /** Lets so many times `CLOCK_START` checks of the loop pass. */
  letLoop(rounds: number): void {
    this.gate!.rounds.value = rounds;
  }

  /** Lets questions of C code pass: more and more of them, as long as they take no time. */
  letAsk(passedMs: number): void {
    this.asks = passedMs > 0 ? FIRST_ASKS : Math.min(this.asks * 2, MOST_ASKS);
    this.gate!.asks.value = this.asks;
  }
}
