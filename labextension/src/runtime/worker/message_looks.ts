/** Looks for the page's messages while Python runs, in pages that do not share memory with Python. */
import { Control, type InterruptMode } from '../protocol';
import { LOOK_MS } from './blocking_wait';
import { type ControlBlock, Want } from './control_block';

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

  constructor(
    private readonly block: ControlBlock,
    private readonly options: MessageLooksOptions,
  ) {}

  /** Lets messages arrive if they could not do so for `LOOK_MS`. `mayTurn` is false while the event loop must not turn. */
  lookIfDue(time: number, epoch: number, mayTurn: boolean): void {
    const { mode } = this.options;
    if (mode === 'shared-memory' || mode === 'none' || epoch === 0 || time - this.lastTime < LOOK_MS) {
      return;
    }
    this.lastTime = time;
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
  }
}
