/**
 * Decides whether a cell may run. Before each cell, the kernel asks its page, which also prepares Python for the cell.
 */
import type { KernelWorker } from './kernel_options';

/** The worker whose Python the page prepares. */
export interface PreparedWorker {
  /** Writes a file of Python's own file system. */
  write(path: string, data: Uint8Array): Promise<void>;
}

/** The page's answer about a cell. */
export type Admission =
  | { refused: { ename: string; evalue: string } }
  | { refused: null; prepare(client: PreparedWorker): Promise<void> };

/** Called before each cell. The signal ends the wait, and then the promise rejects. */
export type KernelGate = (signal: AbortSignal) => Promise<Admission>;

/** The worker for a cell; or the error with which the cell ends, and whether the cells after it are dropped. */
export type Admitted =
  | { worker: KernelWorker }
  | { worker: null; error: { ename: string; evalue: string }; dropsOthers: boolean };

export class Admissions {
  /** Ends the wait of the cell that has not been admitted yet. */
  private waiting: AbortController | null = null;

  /**
   * @param gate - if undefined, every cell may run.
   * @param ready - the worker for a cell, once Python has started.
   */
  constructor(
    private readonly gate: KernelGate | undefined,
    private readonly ready: () => Promise<KernelWorker>,
  ) {}

  /** Makes the waiting cell end as if it had been interrupted. */
  abort(): void {
    this.waiting?.abort();
  }

  /** @throws Error if the page could not decide, or Python has not started. */
  async admit(): Promise<Admitted> {
    const waiting = new AbortController();
    this.waiting = waiting;
    try {
      const admission = await this.gate?.(waiting.signal);
      if (admission?.refused) {
        return { worker: null, error: admission.refused, dropsOthers: true };
      }
      const worker = await this.ready();
      await admission?.prepare(worker);
      if (!waiting.signal.aborted) {
        return { worker };
      }
    } catch (error) {
      if (!waiting.signal.aborted) {
        throw error;
      }
    } finally {
      this.waiting = null;
    }
    return { worker: null, error: { ename: 'KeyboardInterrupt', evalue: '' }, dropsOthers: false };
  }
}
