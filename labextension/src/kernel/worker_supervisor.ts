/**
 * Starts the workers of a kernel, one after the other, and ignores messages of earlier ones.
 */
import type { BrowsergradError } from '../runtime/errors';
import { errorText } from '../runtime/errors';
import type { JupyterMessage } from '../runtime/protocol';
import { Ahead } from './ahead';
import type { BrowsergradKernelOptions, ClientCallbacks, KernelWorker } from './kernel_options';

/** What the kernel hears from its present worker. */
export interface WorkerEvents {
  onMessage(message: JupyterMessage): void;
  /** The running cell asks for a time limit of `ms`, counted from now. */
  onLimit(ms: number): void;
  /** The worker has started. */
  onBooted(): void;
  /** The worker has ended by itself. */
  onCrash(error: BrowsergradError): void;
}

export class WorkerSupervisor {
  /** The present worker, from its creation on. */
  worker: KernelWorker | null = null;
  hasBooted = false;
  /** Whether the present worker has run no code of the user's. */
  isUntouched = true;
  /** The work that the worker does while no request waits. */
  readonly ahead = new Ahead();
  /** Settles when the present worker has started. */
  private boot!: Promise<KernelWorker>;
  /** Number of the present worker, to ignore callbacks of earlier ones. */
  private generation = 0;
  /** The greatest number that a worker has had. */
  private last = 0;

  constructor(
    private readonly options: Pick<
      BrowsergradKernelOptions,
      'createClient' | 'exchangeClient' | 'onProgress' | 'onPackageProgress' | 'onLog' | 'onBootFailed'
    >,
    private readonly events: WorkerEvents,
  ) {}

  /** Settles with the present worker, once it has started. */
  get ready(): Promise<KernelWorker> {
    return this.boot;
  }

  /** Starts a new worker. The caller has ended the present one. */
  start(): void {
    this.worker = null;
    this.ahead.drop();
    this.hasBooted = false;
    this.isUntouched = true;
    this.retire();
    this.boot = this.bootWorker(this.generation);
    this.boot.catch(() => undefined); // every message gets the error as its answer
  }

  /** Ignores the present worker from now on. */
  retire(): void {
    this.last++;
    this.generation = this.last;
  }

  /**
   * Settles with the worker for a cell. Before the first cell, puts one that has imported ahead in the place of the present one, if
   * there is one. Other messages run no code of the user's in a Python in which no cell has run: there are no comms yet.
   */
  async readyForCells(): Promise<KernelWorker> {
    if (this.isUntouched) {
      this.isUntouched = false;
      await this.exchange();
    }
    return this.boot;
  }

  private async exchange(): Promise<void> {
    const { worker: old, options } = this;
    const generation = this.generation;
    // Messages of the new worker count once it is the present one. It sends none before.
    this.last++;
    const own = this.last;
    const worker = (this.hasBooted && old && (await options.exchangeClient?.(this.callbacks(own), old))) || null;
    if (!worker) {
      return;
    }
    if (generation !== this.generation) {
      worker.dispose(); // the kernel has been restarted meanwhile
      return;
    }
    this.generation = own;
    this.worker = worker;
    this.boot = Promise.resolve(worker);
    this.ahead.drop();
    if (worker.canInterrupt) {
      this.ahead.offer(worker);
    }
  }

  private callbacks(generation: number): ClientCallbacks {
    const { options, events } = this;
    const isCurrent = (): boolean => generation === this.generation;
    return {
      onMessage: message => isCurrent() && events.onMessage(message),
      onProgress: progress => isCurrent() && options.onProgress?.(progress),
      onPackageProgress: progress => isCurrent() && options.onPackageProgress?.(progress),
      onLog: options.onLog,
      onLimit: ms => isCurrent() && events.onLimit(ms),
      // Without interrupts, this work would keep cells waiting.
      onAhead: () => isCurrent() && this.worker?.canInterrupt && this.ahead.offer(this.worker),
      onCrash: error => {
        if (isCurrent() && error.code === 'worker-crash') {
          events.onCrash(error);
        }
      },
    };
  }

  private async bootWorker(generation: number): Promise<KernelWorker> {
    const { options, events } = this;
    const isCurrent = (): boolean => generation === this.generation;
    try {
      const worker = await options.createClient(this.callbacks(generation));
      if (!isCurrent()) {
        worker.dispose();
        await worker.ready;
      }
      this.worker = worker;
      await worker.ready;
      if (isCurrent()) {
        this.hasBooted = true;
        events.onBooted();
        if (worker.canInterrupt) {
          this.ahead.offer(worker);
        }
      }
      return worker;
    } catch (error) {
      if (isCurrent()) {
        options.onBootFailed?.(errorText(error));
      }
      throw error;
    }
  }
}
