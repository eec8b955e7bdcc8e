/** What is known of interrupts, by itself: what came, what is in hand, and what has taken effect. */
import { Control } from '../protocol';
import { type ControlBlock, Want } from './control_block';

/**
 * Ms after an interrupt took effect from which the next one counts. A double click is one wish; code
 * that unwinds, above all through JavaScript, must not be hit again.
 */
const NEXT_PRESS_MS = 200;

/** What is known of the request that runs. */
export class RunningRequest {
  /** An interrupt that was taken from the control block and has had no effect yet. */
  inHand = false;
  /** Whether there was a new press since Python was last told. */
  isFresh = false;
  /** Whether an interrupt has taken effect, and when the last one did, ms. */
  wasHit = false;
  hitTime = -Infinity;
  /** Until when each check asks, ms. */
  hotUntil = 0;
  /** How often the pump has tried again. */
  pumps = 0;

  constructor(
    /** Its number; 0 where none runs. */
    readonly epoch: number,
    /** Whether it is another than `execute`: interrupts are offered until it ends. */
    readonly isOther: boolean,
  ) {}
}

export class InterruptState {
  request = new RunningRequest(0, false);
  /** When Python's signal handler was called, ms; -Infinity where it does not run. */
  handlerTime = -Infinity;
  /** Checks on the handler's way out. */
  skip = 0;
  /** Until when no interrupt is offered again, ms. */
  restTime = -Infinity;
  /** When an interrupt was last offered again, ms. */
  offerTime = 0;
  /** When the event loop turned last, ms. */
  lastTurn = 0;

  constructor(readonly block: ControlBlock) {}

  get epoch(): number {
    return this.request.epoch;
  }

  get isStorm(): boolean {
    return this.block.wants(Want.Storm);
  }

  turned(): void {
    this.lastTurn = performance.now();
  }

  /** Another request runs, or none. */
  change(request: RunningRequest): void {
    this.request = request;
    this.restTime = -Infinity;
    this.block.want(Want.Deferred | Want.Storm | Want.Verify, false);
  }

  /** Sees whether the page wants the request interrupted until it ends. */
  noteStorm(): void {
    if (this.epoch !== 0 && this.block.load(Control.Storm) === this.epoch) {
      this.block.want(Want.Storm, true);
    }
  }

  /** Nothing is in hand any more. */
  settle(): void {
    this.block.want(Want.Deferred, false);
    this.request.inHand = this.request.isFresh = false;
  }

  /** Python's signal handler has done its work. */
  handled(): void {
    this.handlerTime = -Infinity;
    this.skip = 1;
  }

  /** Whether an interrupt is to take effect. */
  isPending(): boolean {
    return this.epoch !== 0 && (this.block.wants(Want.Deferred) || this.hasArrived());
  }

  /** Whether an interrupt for the running epoch has come, and counts by now. */
  hasArrived(): boolean {
    return this.block.load(Control.Interrupt) === this.epoch && this.restMs() <= 0;
  }

  /** Ms until a further interrupt counts. */
  restMs(): number {
    return this.isStorm || this.block.load(Control.Storm) === this.epoch
      ? 0
      : this.request.hitTime + NEXT_PRESS_MS - performance.now();
  }
}
