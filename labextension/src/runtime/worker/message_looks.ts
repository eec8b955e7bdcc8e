/** Looks for the page's messages while Python runs, in pages that do not share memory with Python. */
import { Control, type InterruptMode } from '../protocol';
import { type ControlBlock, Want } from './control_block';

/** Least and most ms between two looks. */
const [MIN_GAP_MS, MAX_GAP_MS] = [100, 200];
/** Between these limits, code runs this many times as long as a look takes, so that looks cost 2 %. */
const GAP_PER_LOOK = 50;

export interface MessageLooksOptions {
  mode: InterruptMode;
  /**
   * Asks the page, synchronously, whether to interrupt the request of an epoch. Returns null if not; otherwise the limit in ms that
   * the request has passed, or 0 if Stop was pressed.
   */
  askPage: (epoch: number) => number | null;
}

export class MessageLooks {
  /** Time when messages could last arrive. */
  private lastTime = 0;
  /** Time when a look began that has not ended; null if there is none. */
  private lookingSince: number | null = null;
  private gapMs = MIN_GAP_MS;

  constructor(
    private readonly block: ControlBlock,
    private readonly options: MessageLooksOptions,
  ) {}

  /** Lets messages arrive if they could not do so for some time. `mayTurn` is false while the event loop must not turn. */
  lookIfDue(time: number, epoch: number, mayTurn: boolean): void {
    const { mode } = this.options;
    if (mode === 'shared-memory' || mode === 'none' || epoch === 0 || time - this.lastTime < this.gapMs) {
      return;
    }
    this.lastTime = time;
    this.lookingSince = time;
    if (mode === 'stack-switching') {
      this.block.want(Want.Alarm, mayTurn);
    } else {
      this.askPage(epoch);
    }
  }

  /** Asks the page through the service worker whether to interrupt the request of an epoch. */
  askPage(epoch: number): void {
    const limitMs = epoch === 0 ? null : this.options.askPage(epoch);
    if (limitMs !== null) {
      this.block.noteLimit(epoch, limitMs);
      this.block.store(Control.Interrupt, epoch);
    }
    this.arrived();
  }

  /** Notes that messages could arrive just now, so that the next look can wait. */
  arrived(): void {
    this.lastTime = performance.now();
    if (this.lookingSince !== null) {
      const gap = (this.lastTime - this.lookingSince) * GAP_PER_LOOK;
      this.gapMs = Math.min(MAX_GAP_MS, Math.max(MIN_GAP_MS, gap));
      this.lookingSince = null;
    }
  }
}
