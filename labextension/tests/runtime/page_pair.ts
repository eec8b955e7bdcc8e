/**
 * The two ends of a worker's synchronous calls in one thread: where the worker would block, the page does what it has been
 * asked meanwhile.
 */
import { ControlBlock } from '../../src/runtime/control_block';
import { Control, type FromWorker } from '../../src/runtime/protocol';
import { PageCalls } from '../../src/runtime/worker/page_calls';

export class PagePair {
  readonly block = new ControlBlock();
  readonly control = new Int32Array(this.block.memory.buffer, 0, Control.Length);
  readonly calls: PageCalls;
  /** What the worker has posted. */
  readonly posted: FromWorker[] = [];
  /** What the page does at each look of a worker that waits; nothing is left: an interrupt comes. */
  readonly page: (() => void)[] = [];
  /** How long the worker was ready to wait, in ms, for each wait that an interrupt may end. */
  readonly waits: number[] = [];
  /** Answers of the page, in order; once they are used up it is silent. */
  readonly answers: unknown[] = [];

  constructor(mode = 'shared-memory', channel: { url: string; id: string } | null = null) {
    const interrupts = {
      control: this.control,
      mode,
      blockFirmly: (_ms: number, ready: () => boolean) => this.turn(ready),
      block: (ms: number, ready: () => boolean) => {
        this.waits.push(ms);
        while (!this.turn(ready)) {
          if (!this.page.length) {
            return ms === Infinity ? 'interrupted' : 'timeout';
          }
        }
        return 'ready';
      },
    };
    this.calls = new PageCalls(
      message => this.take(message),
      () => interrupts as never,
      channel ? null : this.block.reply,
      channel,
    );
  }

  private take(message: FromWorker): void {
    this.posted.push(message);
    if (message.type === 'call' && this.answers.length) {
      const answer = this.answers.shift();
      this.page.push(() => this.block.answer(message.id, answer));
    } else if (message.type === 'call-large') {
      this.page.push(() => this.block.handOver(message.id, message.buffer));
    }
  }

  private turn(ready: () => boolean): boolean {
    if (!ready()) {
      this.page.shift()?.();
    }
    return ready();
  }
}
