/**
 * Whether a cell may run: the kernel asks its page before each one, and what its Python has to know first.
 */
import type { KernelWorker } from './kernel_options';

/** The worker whose Python is prepared. */
export interface PreparedWorker {
  /** Writes a file of Python's own. */
  write(path: string, data: Uint8Array): Promise<void>;
}

/** What the page says of a cell. */
export type Admission =
  | { refused: { ename: string; evalue: string } }
  | { refused: null; prepare(client: PreparedWorker): Promise<void> };

/** Asked for each cell. The signal ends the wait; the promise then rejects. */
export type KernelGate = (signal: AbortSignal) => Promise<Admission>;

/** The worker for a cell; else the error that it ends with, and whether the cells behind it are dropped. */
export type Admitted =
  | { worker: KernelWorker }
  | { worker: null; error: { ename: string; evalue: string }; dropsOthers: boolean };

export class Admissions {
  /** Ends the wait of the cell that is not admitted yet. */
  private waiting: AbortController | null = null;

  /**
   * @param gate - undefined: every cell may run.
   * @param ready - the worker, once Python has started.
   */
  constructor(
    private readonly gate: KernelGate | undefined,
    private readonly ready: () => Promise<KernelWorker>,
  ) {}

  /** The cell that waits is not to run: it ends as one that was interrupted. */
  abort(): void {
    this.waiting?.abort();
  }

  /** @throws Error when the page could not say, or Python has not started. */
  async admit(): Promise<Admitted> {
    if (!this.gate) {
      return { worker: await this.ready() };
    }
    const waiting = new AbortController();
    this.waiting = waiting;
    try {
      const admission = await this.gate(waiting.signal);
      if (admission.refused) {
        return { worker: null, error: admission.refused, dropsOthers: true };
      }
      const worker = await this.ready();
      await admission.prepare(worker);
      return { worker };
    } catch (error) {
      if (!waiting.signal.aborted) {
        throw error;
      }
      return { worker: null, error: { ename: 'KeyboardInterrupt', evalue: '' }, dropsOthers: false };
    } finally {
      this.waiting = null;
    }
  }
}
