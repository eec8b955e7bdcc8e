/**
 * The interrupt buffer that Pyodide reads when CPython asks for a signal.
 *
 * Pyodide expects a typed array. Its helper reads the number of a signal, and then writes 0. An interrupt that comes between these
 * two steps would be lost, and one that comes too late would hit the next cell. So the buffer is an object with a getter and a
 * setter. Reading takes from the control block exactly what was seen there. Writing changes nothing there.
 */
import { type ControlBlock, Want } from './control_block';
import type { PollingClock } from './polling_clock';

const SIGINT = 2;
const SIGALRM = 14;
/** Where Pyodide's module keeps the interrupt buffer. */
const PROPERTY = 'Py_EmscriptenSignalBuffer';

export interface SignalBufferOptions {
  clock: PollingClock;
  /** Whether CPython gets SIGINT now. */
  poll: () => boolean;
}

export class SignalBuffer {
  /** Whether Pyodide's helper has begun: it reads the buffer, and then writes it. */
  private isInUse = false;

  constructor(
    private readonly block: ControlBlock,
    private readonly options: SignalBufferOptions,
  ) {}

  /**
   * Makes CPython ask for signals. C code asks too, `str` for each value. That has to be cheap: so the module's property is
   * empty while nothing is wanted, and then Pyodide's helper neither reads nor writes.
   */
  attach(pyodide: { _module: object; setInterruptBuffer(buffer: object): void }): void {
    pyodide.setInterruptBuffer(this.buffer);
    const { _module: module } = pyodide;
    Object.defineProperty(module, PROPERTY, {
      configurable: true,
      enumerable: true,
      get: () => (this.isEmpty() ? null : this.buffer),
      // A buffer that somebody else sets replaces ours.
      set: (value: unknown) =>
        Object.defineProperty(module, PROPERTY, { configurable: true, enumerable: true, writable: true, value }),
    });
  }

  private readonly buffer = ((signals: SignalBuffer) => ({
    get 0(): number {
      return signals.read();
    },
    set 0(_value: number) {
      signals.isInUse = false;
    },
  }))(this);

  /** The helper gets the property three times: to see whether there is a buffer, to read it, and to write it. */
  private isEmpty(): boolean {
    if (!this.isInUse) {
      this.options.clock.look();
      this.isInUse = this.block.isWanted;
    }
    return !this.isInUse;
  }

  private read(): number {
    if (this.block.wants(Want.Alarm)) {
      this.block.want(Want.Alarm, false);
      return SIGALRM;
    }
    return this.block.isWanted && this.options.poll() ? SIGINT : 0;
  }
}
