/** Looks for the page's messages while Python runs, in pages that share no memory with it. */
import { Control, type InterruptMode } from '../protocol';
import { LOOK_MS } from './blocking_wait';
import { type ControlBlock, Want } from './control_block';

export interface MessageLooksOptions {
  mode: InterruptMode;
  /** Asks the page, synchronously, whether the running epoch is to be interrupted: its limit in ms, 0 or null. */
  askPage: (epoch: number) => number | null;
}

export class MessageLooks {
  /** When messages could last arrive. */
  private lastTime = 0;

  constructor(
    private readonly block: ControlBlock,
    private readonly options: MessageLooksOptions,
  ) {}

  /** Lets messages arrive if they could not for a while. `mayTurn` is false while the event loop must not turn. */
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

  /** Asks the page through the service worker whether `epoch` is to be interrupted. */
  askPage(epoch: number): void {
    const limitMs = epoch === 0 ? null : this.options.askPage(epoch);
    if (limitMs !== null) {
      this.block.noteLimit(epoch, limitMs);
      this.block.store(Control.Interrupt, epoch);
    }
    this.arrived();
  }

  /** Messages could arrive just now, so the next look can wait. */
  arrived(): void {
    this.lastTime = performance.now();
  }
}
