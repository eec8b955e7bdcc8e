/**
 * Ends the message at work: first by an interrupt, which keeps variables, then by a restart.
 *
 * | who ends it | interrupt | repeated until it ends | restart |
 * |---|---|---|---|
 * | Stop | at once | | offered after 1 s, at once where nothing can be interrupted |
 * | a time limit | when it has passed | 0.25 s later | 3 s later, at once where nothing can be interrupted |
 * | the host | at once | 0.25 s later | 1 s later |
 */
import type { KernelWorker } from './kernel_options';
import type { OpenRequest } from './open_request';

/** Ms after Stop from which code that still runs counts as not responding. */
const UNRESPONSIVE_MS = 1000;
/** Ms after a limit until the worker is ended: a first traceback may have to fetch what it needs of the standard library. */
const LIMIT_END_MS = 3000;
/** Ms after a limit from which the interrupt is repeated until the cell ends. */
const INSIST_MS = 250;

/** What it asks of its kernel. */
export interface StoppedKernel {
  /** The message at work; null when idle. */
  current(): OpenRequest | null;
  worker(): KernelWorker | null;
  /** Ends the worker of a message with this error; a fresh one starts. */
  stopHard(request: OpenRequest, ename: string, evalue: string): void;
  /** Asks the user whether to restart; the result takes the question back. Null: nobody is asked. */
  onUnresponsive(restart: () => void): (() => void) | null;
}

const LOST = 'The kernel was restarted; its variables are lost.';

export class StopEscalation {
  /** What has to happen while the message at work is still at work. */
  private readonly timers: ReturnType<typeof setTimeout>[] = [];
  /** Takes back what the user has been asked about it. */
  private withdraw: (() => void) | null = null;

  constructor(private readonly kernel: StoppedKernel) {}

  /** The user has pressed Stop. */
  interrupt(): void {
    const { kernel } = this;
    const worker = kernel.worker();
    worker?.interrupt();
    const askAfter = worker?.canInterrupt ? UNRESPONSIVE_MS : 0;
    this.whileAtWork(askAfter, request => {
      const restart = (): void =>
        kernel.stopHard(request, 'KernelRestarted', `The code did not respond to Stop. ${LOST}`);
      this.withdraw ??= kernel.onUnresponsive(restart);
    });
  }

  /** Limits the cell at work to `ms` from now on. */
  limit(ms: number): void {
    const { kernel } = this;
    const limit = `the cell ran longer than its limit of ${ms / 1000} s`;
    const end = (request: OpenRequest): void =>
      kernel.stopHard(request, 'CellTimeoutError', `${limit} and did not respond to an interrupt. ${LOST}`);
    this.whileAtWork(ms, request => {
      const worker = kernel.worker();
      if (!worker?.canInterrupt) {
        end(request);
        return;
      }
      worker.interrupt({ limitMs: ms });
      this.whileAtWork(INSIST_MS, () => kernel.worker()?.interrupt({ limitMs: ms, storm: true }));
      this.whileAtWork(LIMIT_END_MS, end);
    });
  }

  /** The host ends the cell at work with this error. */
  end(ename: string, evalue: string): void {
    const { kernel } = this;
    const request = kernel.current();
    if (!request?.isCell || request.ended) {
      return;
    }
    request.ended = { ename, evalue };
    kernel.worker()?.interrupt();
    this.whileAtWork(INSIST_MS, () => kernel.worker()?.interrupt({ storm: true }));
    this.whileAtWork(UNRESPONSIVE_MS, stuck => kernel.stopHard(stuck, ename, `${evalue}. ${LOST}`));
  }

  /** Calls `action` after `ms`, unless the message at work now is done by then. */
  whileAtWork(ms: number, action: (request: OpenRequest) => void): void {
    const { kernel } = this;
    const request = kernel.current();
    if (request) {
      this.timers.push(setTimeout(() => kernel.current() === request && !request.isClosed && action(request), ms));
    }
  }

  /** The message at work is done. */
  reset(): void {
    this.timers.splice(0).forEach(clearTimeout);
    this.withdraw?.();
    this.withdraw = null;
  }
}
