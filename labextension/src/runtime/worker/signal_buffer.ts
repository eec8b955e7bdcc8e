/**
 * The interrupt buffer that Pyodide reads when CPython asks for a signal.
 *
 * Pyodide expects a typed array. Its helper reads the number of a signal, and then writes 0. An interrupt that comes between these
 * two steps would be lost, and one that comes too late would hit the next cell. So the buffer is an object with a getter and a
 * setter. The getter takes from the control block exactly what it has seen there. The setter does not change the control block.
 */
import { type ControlBlock, Want } from './control_block';
import type { PollingClock } from './polling_clock';

const SIGINT = 2;
const SIGALRM = 14;
/** Name of the property in which Pyodide's module keeps the interrupt buffer. */
const PROPERTY = 'Py_EmscriptenSignalBuffer';

export interface SignalBufferOptions {
  clock: PollingClock;
  /** Whether CPython gets SIGINT now. */
  poll: () => boolean;
}

export class SignalBuffer {
  /** Whether Pyodide's helper is between its look at the property and its write to the buffer. */
  private isInUse = false;

  constructor(
    private readonly block: ControlBlock,
    private readonly options: SignalBufferOptions,
  ) {}

  /**
   * Makes CPython ask for signals. C code asks often: `str`, for example, asks for each value. So a question has to be cheap.
   * The module's property is empty while nobody wants anything, and then Pyodide's helper neither reads nor writes.
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

  /** The helper reads the property three times: to see whether there is a buffer, to read the signal, and to write 0. */
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
