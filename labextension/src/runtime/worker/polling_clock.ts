/**
 * How often running code is asked: about once a millisecond, whatever its steps take.
 *
 * CPython counts a clock down at each eval-breaker check, sets it to `CLOCK_START` at its end and asks for signals. C code asks
 * besides, `str` for each value.
 */
import { CLOCK_START, type SignalGate } from './signal_gate';

/** Most checks between two looks in the first millisecond of a cell, and by how much it grows with each. */
const FIRST_CHECKS = 8;
/** Most eval-breaker checks between two looks. */
const MAX_CHECKS = 400;
/** Without a gate: of the looks that C code asks for, one in so many sees to what is due by time. */
const C_LOOK = 32;

export class PollingClock {
  /** Index of the clock in Python's memory; 0 where there is none. */
  private index = 0;
  private heap: Int32Array | null = null;
  private getHeap: (() => Int32Array) | null = null;
  private gated = false;
  /** Eval-breaker checks from the last look to the next, and their greatest number. */
  private interval = CLOCK_START;
  private most = MAX_CHECKS;
  /** In which the clock ran down last, as of `Date.now`. */
  private millisecond = 0;
  private userStart = 0;
  /** Questions of C code, and when the last one came that counted, as of `Date.now`. */
  private asked = 0;
  private askedAt = 0;

  /** @param onTime - sees to what is due by time */
  constructor(
    private readonly gate: SignalGate,
    private readonly onTime: () => void,
  ) {}

  /** Adapts from now on, which needs the address of CPython's clock: Pyodide 314 has it, earlier ones have not. */
  use(address: number | undefined, memory: WebAssembly.Memory | undefined, getHeap: () => Int32Array): void {
    if (address) {
      this.index = address >> 2;
      this.getHeap = getHeap;
      this.heap = getHeap();
      this.gated = memory !== undefined && this.gate.open(memory, address);
    }
  }

  /** Whether it can't be adapted: Python asks at each fiftieth check. */
  get isSlow(): boolean {
    return this.index === 0;
  }

  /** The user's code begins: nobody knows how long its steps take. */
  userStarts(): void {
    this.userStart = Date.now();
    this.most = FIRST_CHECKS;
    this.askAtOnce();
  }

  /** Lets every check ask. */
  askAtOnce(): void {
    this.interval = 1;
    this.set(1);
  }

  /** Lets no more checks pass than CPython's clock itself. */
  askSoon(): void {
    if (this.interval > CLOCK_START) {
      this.interval = CLOCK_START;
      this.set(CLOCK_START);
    }
  }

  /** Lets so many checks pass. */
  set(checks: number): void {
    if (this.index) {
      this.memory()[this.index] = this.gated ? Math.min(checks, CLOCK_START) : checks;
    }
    if (this.gated) {
      this.gate.letLoop(Math.max(1, Math.trunc(checks / CLOCK_START)));
    }
  }

  /** Python asks. */
  look(): void {
    if (this.index === 0 || this.memory()[this.index] === CLOCK_START) {
      this.wind();
    } else if (this.gated || ++this.asked % C_LOOK === 0) {
      this.lookForC();
    }
  }

  /**
   * The clock has run down: sets it anew. As long as the millisecond is the same, the number of checks doubles: those that
   * have passed took less. Otherwise it becomes what one millisecond holds.
   */
  private wind(): void {
    const millisecond = Date.now(); // costs a fifth of `performance.now`
    const passed = millisecond - this.millisecond;
    if (passed === 0) {
      this.interval = Math.min(this.interval * 2, this.most);
    } else {
      this.millisecond = millisecond;
      this.most = Math.min(MAX_CHECKS, FIRST_CHECKS * (1 + Math.max(0, millisecond - this.userStart)));
      this.interval = Math.max(1, Math.trunc(Math.min(this.interval / Math.max(1, passed), this.most)));
      this.onTime();
    }
    this.set(this.interval);
  }

  private lookForC(): void {
    if (this.gated) {
      const millisecond = Date.now();
      const passed = millisecond - this.askedAt;
      this.askedAt = millisecond;
      this.gate.letAsk(passed);
      if (passed === 0) {
        return;
      }
    }
    this.onTime();
  }

  private memory(): Int32Array {
    if (this.heap!.length === 0) {
      this.heap = this.getHeap!(); // memory has grown: the old view is detached
    }
    return this.heap!;
  }
}
