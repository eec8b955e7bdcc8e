/**
 * Starts the workers of a kernel, one after the other, and ignores messages of earlier ones.
 */
import type { BrowsergradError } from '../runtime/errors';
import { errorText } from '../runtime/errors';
import type { JupyterMessage } from '../runtime/protocol';
import { Ahead } from './ahead';
import type { BrowsergradKernelOptions, KernelWorker } from './kernel_options';

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
  /** The work that the worker does while no request waits. */
  readonly ahead = new Ahead();
  /** Settles when the present worker has started. */
  private boot!: Promise<KernelWorker>;
  /** Counts workers, to ignore callbacks of earlier ones. */
  private generation = 0;

  constructor(
    private readonly options: Pick<
      BrowsergradKernelOptions,
      'createClient' | 'onProgress' | 'onPackageProgress' | 'onLog' | 'onBootFailed'
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
    this.boot = this.bootWorker(++this.generation);
    this.boot.catch(() => undefined); // every message gets the error as its answer
  }

  /** Ignores the present worker from now on. */
  retire(): void {
    this.generation++;
  }

  private async bootWorker(generation: number): Promise<KernelWorker> {
    const { options, events } = this;
    const isCurrent = (): boolean => generation === this.generation;
    try {
      const worker = await options.createClient({
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
      });
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
