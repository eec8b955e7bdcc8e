/**
 * Decides how often running code asks for signals: about once a millisecond, however long its steps take.
 *
 * CPython counts a clock down at each eval-breaker check. When the clock is at its end, CPython sets it to `CLOCK_START` again and
 * asks. C code asks at other times too; `str`, for example, asks for each value.
 */
import { CLOCK_START, FIRST_CHECKS, MAX_CHECKS, type SignalGate } from './signal_gate';

/** Without a gate, every 32nd question of C code also runs timed work (flushing output, reading messages). */
const C_LOOK = 32;

export class PollingClock {
  /** Index of CPython's clock in its memory; 0 if it cannot be set. */
  private index = 0;
  /** CPython's memory. A new view is needed after it has grown. */
  private heap: Int32Array | null = null;
  private getHeap: (() => Int32Array) | null = null;
  /** Whether the signal gate answers CPython. */
  private gated = false;
  /** Counts where there is no gate. */
  private readonly ungated = new PaceWithoutGate(checks => {
    if (this.index) {
      this.memory()[this.index] = checks;
    }
  });

  /** @param runTimedWork - sends output and looks for messages, if it is time to */
  constructor(
    private readonly gate: SignalGate,
    private readonly runTimedWork: () => void,
  ) {}

  /** Begins to set CPython's clock. Needs the clock's address, which Pyodide 314 offers and earlier versions do not. */
  use(address: number | undefined, memory: WebAssembly.Memory | undefined, getHeap: () => Int32Array): void {
    if (address) {
      this.index = address >> 2;
      this.getHeap = getHeap;
      this.heap = getHeap();
      this.gated = memory !== undefined && this.gate.open(memory, address);
    }
  }

  /** Who counts. */
  private get pace(): Pace {
    return this.gated ? this.gate : this.ungated;
  }

  /** Whether the clock cannot be set: then CPython's loop asks at every 50th check. */
  get isSlow(): boolean {
    return this.index === 0;
  }

  /** Notes that user code begins. It asks often at first, since nobody knows yet how long its steps take. */
  userStarts(): void {
    this.pace.start();
    this.setPace('every check');
  }

  /**
   * Lets CPython ask for signals at every check until the clock has adapted again, at the next check, or after at most
   * `CLOCK_START` checks.
   */
  setPace(polls: 'every check' | 'next check' | 'soon'): void {
    if (polls === 'every check') {
      this.pace.interval = 1;
      this.pace.set(1);
    } else if (polls === 'next check') {
      this.pace.set(1);
    } else if (this.pace.interval > CLOCK_START) {
      this.pace.interval = CLOCK_START;
      this.pace.set(CLOCK_START);
    }
  }

  /** Handles a question of CPython that has come to JavaScript: sets the pace again, and runs timed work if it is due. */
  look(): void {
    const isForLoop = this.index === 0 || this.memory()[this.index] === CLOCK_START;
    if (this.pace.look(isForLoop)) {
      this.runTimedWork();
    }
  }

  private memory(): Int32Array {
    if (this.heap!.length === 0) {
      this.heap = this.getHeap!(); // memory has grown: the old view is detached
    }
    return this.heap!;
  }
}

/** How many checks pass between two looks at the time. */
interface Pace {
  interval: number;
  start(): void;
  look(isForLoop: boolean): boolean;
  set(checks: number): void;
}

/** The same as in `gate.wat`, but timed work is due in each millisecond, since each question comes here in any case. */
class PaceWithoutGate implements Pace {
  interval = CLOCK_START;
  private checks = 0;
  /** `Date.now()` when the loop last came here in a new millisecond. */
  private millisecond = 0;
  /** Number of questions of C code. */
  private asked = 0;

  constructor(readonly set: (checks: number) => void) {}

  start(): void {
    this.checks = 0;
  }

  look(isForLoop: boolean): boolean {
    return isForLoop ? this.wind() : ++this.asked % C_LOOK === 0;
  }

  /** Sets the clock again after it has run down. @returns whether that took a millisecond. */
  private wind(): boolean {
    const millisecond = Date.now(); // takes a fifth of the time of `performance.now`
    const passed = Math.abs(millisecond - this.millisecond);
    this.millisecond = millisecond;
    if (passed) {
      this.interval = Math.max(1, Math.trunc(this.interval / passed));
    } else if (this.interval < MAX_CHECKS) {
      this.checks += this.interval;
      this.interval = Math.min(this.interval * 2, FIRST_CHECKS + (this.checks >> 4), MAX_CHECKS);
    }
    this.set(this.interval);
    return passed > 0;
  }
}
