/**
 * Keeps a kernel in a worker: starts one after the other, and drops what an earlier one still says.
 */
import type { BrowsergradError } from '../runtime/errors';
import { errorText } from '../runtime/errors';
import type { JupyterMessage } from '../runtime/protocol';
import { Ahead } from './ahead';
import type { BrowsergradKernelOptions, KernelWorker } from './kernel_options';

/** What the kernel hears of its present worker. */
export interface WorkerEvents {
  onMessage(message: JupyterMessage): void;
  /** The running cell asks to be limited to so many ms from now on. */
  onLimit(ms: number): void;
  /** It has booted. */
  onBooted(): void;
  /** It ended by itself. */
  onCrash(error: BrowsergradError): void;
}

export class WorkerSupervisor {
  /** The present worker, from its creation on. */
  worker: KernelWorker | null = null;
  hasBooted = false;
  /** What the worker does while nothing is asked. */
  readonly ahead = new Ahead();
  /** Settles with the boot of the present worker. */
  private boot!: Promise<KernelWorker>;
  /** Counts workers: callbacks of an earlier one are dropped. */
  private generation = 0;

  constructor(
    private readonly options: Pick<
      BrowsergradKernelOptions,
      'createClient' | 'onProgress' | 'onPackageProgress' | 'onLog' | 'onBootFailed'
    >,
    private readonly events: WorkerEvents,
  ) {}

  /** The present worker, once it has booted. */
  get ready(): Promise<KernelWorker> {
    return this.boot;
  }

  /** Starts a worker in the place of the present one, which its caller has ended. */
  start(): void {
    this.worker = null;
    this.ahead.drop();
    this.hasBooted = false;
    this.boot = this.bootWorker(++this.generation);
    this.boot.catch(() => undefined); // every message gets the error as its answer
  }

  /** Nothing that the present worker says counts from now on. */
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
        // What cannot be interrupted would keep cells waiting.
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
