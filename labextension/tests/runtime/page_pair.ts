/**
 * The two ends of a worker's synchronous calls in one thread: where the worker would block, the page does what it has been
 * asked meanwhile.
 */
import { SharedMemory } from '../../src/runtime/shared_memory';
import { Control, type FromWorker } from '../../src/runtime/protocol';
import { PageCalls } from '../../src/runtime/worker/page_calls';

export class PagePair {
  readonly shared = new SharedMemory();
  readonly control = new Int32Array(this.shared.memory.buffer, 0, Control.Length);
  readonly calls: PageCalls;
  /** The messages that the worker has posted. */
  readonly posted: FromWorker[] = [];
  /** The page's work at each look of a waiting worker. If there is none left, an interrupt comes. */
  readonly page: (() => void)[] = [];
  /** The page's answers, in order. After the last one, the page does not answer. */
  readonly answers: unknown[] = [];

  constructor(mode = 'shared-memory', channel: { url: string; id: string } | null = null) {
    const interrupts = {
      control: this.control,
      mode,
      wait: {
        firmly: (_ms: number, ready: () => boolean) => this.turn(ready),
        until: (ms: number, ready: () => boolean) => this.until(ms, ready),
      },
    };
    this.calls = new PageCalls(
      message => this.take(message),
      () => interrupts as never,
      channel ? null : this.shared.reply,
      channel,
    );
  }

  private take(message: FromWorker): void {
    this.posted.push(message);
    if (message.type === 'call' && this.answers.length) {
      const answer = this.answers.shift();
      this.page.push(() => this.shared.answer(message.id, answer));
    } else if (message.type === 'call-large') {
      this.page.push(() => this.shared.handOver(message.id, message.buffer));
    }
  }

  private until(ms: number, ready: () => boolean): 'ready' | 'timeout' | 'interrupted' {
    while (!this.turn(ready)) {
      if (!this.page.length) {
        return ms === Infinity ? 'interrupted' : 'timeout';
      }
    }
    return 'ready';
  }

  private turn(ready: () => boolean): boolean {
    if (!ready()) {
      this.page.shift()?.();
    }
    return ready();
  }
}
