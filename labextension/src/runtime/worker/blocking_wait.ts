/** Blocks the worker until something happens to the control block. */
import { Control, type InterruptMode } from '../protocol';
import type { ControlBlock } from './control_block';

/** Ms for which a wait goes on although there is a deferred interrupt. */
const DEFER_MS = 1;
/** Ms between two looks for messages while Python waits, in pages that do not share memory with it. */
const LOOK_MS = 200;

/** The interrupt controller, as a wait sees it. */
export interface Interruptions {
  readonly mode: InterruptMode;
  /** Whether an interrupt ends the wait: at once, or in a moment if it was deferred. */
  inHand(): 'now' | 'soon' | null;
  /** Ms until a press that has come counts; null if none has come. */
  restMs(): number | null;
  /** Lets CPython ask for a signal at its next check. */
  pollAfterWait(): void;
  /** Asks the page whether there is an interrupt. */
  pollPage(): void;
  flushOutput(): void;
}

export class BlockingWait {
  constructor(
    private readonly control: ControlBlock,
    private readonly interruptions: Interruptions,
  ) {}

  /**
   * Blocks until `ready` returns true, the time is over, or there is an interrupt.
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
      interruptions.pollAfterWait();
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

  /** Blocks until `ready` returns true, for at most `ms`. Interrupts do not end this wait. @returns whether `ready` returned true. */
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
