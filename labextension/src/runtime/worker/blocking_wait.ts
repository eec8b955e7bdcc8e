/** Waits that block the worker, on the control block. */
import { Control, type InterruptMode } from '../protocol';
import type { ControlBlock } from './control_block';

/** Ms until an interrupt that came at a bad moment is offered again to code that blocks. */
const DEFER_MS = 1;
/** Ms between two looks for messages where there is no shared memory. */
export const LOOK_MS = 200;

/** What a wait has to know of interrupts. */
export interface Interruptions {
  readonly mode: InterruptMode;
  /** Whether the wait has to end for one: at once, or in a moment, when it is offered again. */
  inHand(): 'now' | 'soon' | null;
  /** Ms until one that has come counts; null where none has come. */
  restMs(): number | null;
  /** Lets Python ask at its next check. */
  askSoon(): void;
  /** Asks the page whether there is one. */
  pollPage(): void;
  flushOutput(): void;
}

export class BlockingWait {
  constructor(
    private readonly control: ControlBlock,
    private readonly interruptions: Interruptions,
  ) {}

  /**
   * Blocks until `ready` says so, the time is over, or an interrupt is in hand.
   *
   * @returns 'ready', 'timeout' or 'interrupted'.
   */
  until(ms: number, ready: () => boolean): 'ready' | 'timeout' | 'interrupted' {
    const { control, interruptions } = this;
    const end = performance.now() + ms;
    interruptions.flushOutput();
    for (;;) {
      const wake = control.load(Control.Wake);
      if (ready()) {
        return 'ready';
      }
      const inHand = interruptions.inHand();
      if (inHand === 'now') {
        return 'interrupted';
      }
      const rest = end - performance.now();
      if (rest <= 0) {
        return 'timeout';
      }
      interruptions.askSoon();
      if (inHand === 'soon') {
        control.wait(wake, Math.min(rest, DEFER_MS));
        return ready() ? 'ready' : 'interrupted';
      }
      if (interruptions.mode === 'shared-memory') {
        const restMs = interruptions.restMs();
        control.wait(wake, restMs === null ? rest : Math.min(rest, Math.max(restMs, DEFER_MS)));
      } else {
        control.wait(wake, Math.min(rest, LOOK_MS));
        if (interruptions.mode !== 'none') {
          interruptions.pollPage();
        }
      }
    }
  }

  /** Blocks at most `ms` without looking at interrupts. @returns whether `ready` came true. */
  firmly(ms: number, ready: () => boolean): boolean {
    const end = performance.now() + ms;
    this.interruptions.flushOutput();
    for (;;) {
      const wake = this.control.load(Control.Wake);
      if (ready()) {
        return true;
      }
      const rest = end - performance.now();
      if (rest <= 0) {
        return false;
      }
      this.control.wait(wake, rest);
    }
  }
}
