/**
 * One worker thread: loads its script, a second time if the browser loses the request, and ends it.
 */
import { scriptProblem } from './assets';
import { errorText } from './errors';
import type { BootOptions, FromWorker, ToWorker } from './protocol';

/** Ms that a worker's script may take to load before it is loaded again: at first, and at last. The time doubles with each try. */
const FIRST_LOAD_MS = 10_000;
const LAST_LOAD_MS = 40_000;

export interface WorkerProcessOptions {
  /** A worker to use instead of one from `workerURL`. */
  worker?: Worker;
  /** Makes a worker to use instead of one from `workerURL`. Called again if a script does not load. */
  makeWorker?(): Worker;
  workerURL: string | URL;
  mode: BootOptions['mode'];
  onMessage(message: FromWorker): void;
  /** The worker could not be made or loaded, or has failed. Called after the constructor has returned. */
  onFailure(message: string): void;
  onWarning(text: string): void;
}

export class WorkerProcess {
  /** Undefined if none could be made. */
  private worker: Worker | undefined;
  /** Messages to a worker whose script has not been loaded yet; null once it has been. */
  private early: ToWorker[] | null = [];
  private loading: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: WorkerProcessOptions) {
    this.load(FIRST_LOAD_MS);
  }

  post(message: ToWorker, transfer: Transferable[] = []): void {
    this.early?.push(message);
    this.worker?.postMessage(message, transfer);
  }

  /** Ends the worker at once. */
  end(): void {
    clearTimeout(this.loading);
    if (this.worker) {
      this.worker.onmessage = this.worker.onerror = null;
      this.worker.terminate();
    }
  }

  /**
   * Loads the worker. A browser may lose the request for its script, above all while one service worker of a site replaces
   * another. Then a second worker is started, and gets the same messages.
   */
  private load(patience: number): void {
    const { worker: given, workerURL } = this.options;
    let worker: Worker;
    try {
      worker = this.worker = given ?? this.make();
    } catch (error) {
      queueMicrotask(() => this.options.onFailure(`no worker could be made: ${errorText(error)}`));
      return;
    }
    worker.onmessage = event => this.receive(event.data as FromWorker);
    worker.onerror = event => {
      event.preventDefault?.();
      void this.fail(event.message);
    };
    worker.onmessageerror = () => this.options.onFailure('a message of the worker could not be read');
    this.early?.forEach(message => worker.postMessage(message));
    if (given) {
      this.early = null; // there will be no second worker
      return;
    }
    this.loading = setTimeout(() => {
      const problem = `the worker ${String(workerURL)} has not been loaded within ${patience / 1000} s`;
      if (patience >= LAST_LOAD_MS) {
        this.options.onFailure(`${problem}: is the site still being served? Reload the page`);
        return;
      }
      this.options.onWarning(`${problem}: it is loaded again`);
      this.end();
      this.load(2 * patience);
    }, patience);
  }

  private make(): Worker {
    const { makeWorker, workerURL } = this.options;
    return makeWorker ? makeWorker() : new Worker(workerURL, { type: 'module', name: 'browsergrad' });
  }

  private receive(message: FromWorker): void {
    if (message.type === 'alive') {
      clearTimeout(this.loading);
      this.early = null;
    } else {
      this.options.onMessage(message);
    }
  }

  /** Reports why a worker failed. If its script could not be loaded, the browser does not say why. */
  private async fail(message: string | undefined): Promise<void> {
    const { worker, makeWorker, workerURL, mode, onFailure } = this.options;
    const url = String(workerURL);
    if (worker || makeWorker) {
      onFailure(`the worker that was given failed: ${message || 'its script could not be loaded'}`);
    } else if (message) {
      onFailure(`the worker ${url} failed: ${message}`);
    } else {
      const remedy =
        mode === 'session'
          ? 'worker.js has to lie where the runtime looks for it, beside index.js; else pass worker: () => new Worker(…)'
          : 'check that the file exists and is served as text/javascript';
      onFailure(`the worker ${url} could not be loaded (${await scriptProblem(url)}): ${remedy}`);
    }
  }
}
