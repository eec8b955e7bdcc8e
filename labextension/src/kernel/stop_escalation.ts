/**
 * Ends the running message: first by an interrupt, which keeps variables, then by a restart.
 *
 * | who ends it | interrupt | repeated until it ends | restart |
 * |---|---|---|---|
 * | Stop | immediately | never | offered after 1 s; immediately where nothing can be interrupted |
 * | a time limit | when it has passed | from 0.25 s later | 3 s later; immediately where nothing can be interrupted |
 * | the host | immediately | from 0.25 s later | 1 s later |
 */
import type { KernelWorker } from './kernel_options';
import type { OpenRequest } from './open_request';

/** Code that still runs so many ms after Stop counts as not responding. */
const UNRESPONSIVE_MS = 1000;
/**
 * Ms after a time limit at which the worker is ended. Python's first traceback may have to fetch the standard library.
 */
const LIMIT_END_MS = 3000;
/** Ms after a time limit from which on the interrupt is repeated until the cell ends. */
const INSIST_MS = 250;

/** What the escalation needs from its kernel. */
export interface StoppedKernel {
  /** The running message; null when idle. */
  current(): OpenRequest | null;
  worker(): KernelWorker | null;
  /** Ends the worker of a message with this error, and starts a new one. */
  stopHard(request: OpenRequest, ename: string, evalue: string): void;
  /** Asks the user whether to restart. @returns a function that withdraws the question; null if nobody is asked. */
  onUnresponsive(restart: () => void): (() => void) | null;
}

const LOST = 'The kernel was restarted; its variables are lost.';

export class StopEscalation {
  /** Timers that apply only while the present message runs. */
  private readonly timers: ReturnType<typeof setTimeout>[] = [];
  /** Withdraws the question to the user about the present message. */
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

  /** Limits the running cell to `ms`, counted from now. */
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

  /** The host ends the running cell with this error. */
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

  /** Calls `action` after `ms`, unless the message that runs now has been answered by then. */
  whileAtWork(ms: number, action: (request: OpenRequest) => void): void {
    const { kernel } = this;
    const request = kernel.current();
    if (request) {
      this.timers.push(setTimeout(() => kernel.current() === request && !request.isClosed && action(request), ms));
    }
  }

  /** The running message has been answered. */
  reset(): void {
    this.timers.splice(0).forEach(clearTimeout);
    this.withdraw?.();
    this.withdraw = null;
  }
}
