/**
 * One worker, seen from the page. Numbers requests, passes on the worker's messages, and settles everything pending when the
 * worker ends. `Session` and `KernelClient` use it.
 */
import { BrowsergradError, errorText } from './errors';
import { ForwardedCalls } from './forwarded_calls';
import { OutputReceipts } from './output_receipts';
import { PendingRequests } from './pending_requests';
import type {
  Adoption,
  BootInfo,
  BootOptions,
  BootProgress,
  DriveAnswer,
  FileOperation,
  FromWorker,
  InterruptOptions,
  MessageText,
  PackageProgress,
  StreamChunk,
  ToWorker,
} from './protocol';
import { offerBootAssets, sharedBootAssets, sharedFile, type Supply } from './shared_assets';
import { SharedMemory } from './shared_memory';
import { canShare } from './sharing';
import { WorkerProcess } from './worker_process';

export interface WorkerLinkOptions {
  /** A worker to use instead of one from `workerURL`. */
  worker?: Worker;
  /** Makes a worker to use instead of one from `workerURL`. Called again if a script does not load. */
  makeWorker?(): Worker;
  workerURL: string | URL;
  boot: Omit<BootOptions, 'control' | 'reply' | 'channel'>;
  /** Root of the site whose service worker forwards `api/drive`; null if there is none. */
  serviceWorkerBase: string | null;
  onStreams(chunks: StreamChunk[]): void;
  onMessage(json: string, buffers: ArrayBuffer[]): void;
  /**
   * Settles when the page has had time to show what it was given. Until then the output counts as in flight. By default it
   * counts as shown when it arrives.
   */
  shown?(averageBytes: number): Promise<void>;
  onProgress?(progress: BootProgress): void;
  onPackageProgress?(progress: PackageProgress): void;
  onLog?(level: 'info' | 'warning' | 'error', text: string): void;
  /** The running cell asks for a time limit of `ms`, counted from now. */
  onLimit?(ms: number): void;
  /** The worker has work to do ahead of need: call `getAhead`. */
  onAhead?(): void;
  /** The worker has ended by itself. Called after everything pending has been rejected. */
  onCrash?(error: BrowsergradError): void;
  drive?: { request(request: unknown): Promise<DriveAnswer> };
}

export class WorkerLink {
  readonly ready: Promise<BootInfo>;
  info: BootInfo | null = null;
  private readonly process: WorkerProcess;
  /** Null where the page shares no memory with the worker. */
  private readonly shared: SharedMemory | null;
  /** Answers the calls that a service worker forwards; null if none does. */
  private readonly forwarded: ForwardedCalls | null;
  private readonly receipts: OutputReceipts;
  private readonly pending = new PendingRequests();
  /** Takes the assets that the worker loads itself; null if the page sends them. */
  private readonly supply: Supply | null;
  /** What the page wants to interrupt, for workers that have to ask. */
  private wanted = { epoch: 0, limitMs: 0 };
  /** Why the worker has ended; null while it lives. */
  private ended: BrowsergradError | null = null;
  private settleReady!: { resolve(info: BootInfo): void; reject(error: BrowsergradError): void };

  constructor(private readonly options: WorkerLinkOptions) {
    this.ready = new Promise((resolve, reject) => {
      this.settleReady = { resolve, reject };
    });
    this.ready.catch(() => undefined); // the error is thrown where `ready` is awaited
    const { boot, serviceWorkerBase, worker, makeWorker, workerURL } = options;
    this.shared = boot.interruptible && canShare() ? new SharedMemory() : null;
    this.forwarded =
      this.shared || serviceWorkerBase === null
        ? null
        : new ForwardedCalls(serviceWorkerBase, {
            drive: request => this.drive(request),
            interruptOf: epoch => (this.wanted.epoch === epoch ? this.wanted.limitMs : null),
            taken: () => this.receipts.taken,
          });
    this.receipts = new OutputReceipts(
      options.shown,
      taken => this.acknowledge(taken),
      () => this.isEnded,
    );
    const { mode, indexURL, kernelURL, hints } = boot;
    this.process = new WorkerProcess({
      worker,
      makeWorker,
      workerURL,
      mode,
      onMessage: message => this.receive(message),
      onFailure: message => this.crash(message),
      onWarning: text => options.onLog?.('warning', text),
    });
    // If the page does not have the assets yet, the worker loads them: the page may be busy. Outside of browsers it never is.
    this.supply =
      mode === 'kernel' && typeof document !== 'undefined' ? offerBootAssets(indexURL, kernelURL, hints) : null;
    const assetsFollow = mode === 'kernel' && !this.supply;
    this.process.post({
      type: 'boot',
      options: {
        ...boot,
        assetsFollow,
        control: this.shared?.memory ?? null,
        reply: this.shared?.reply ?? null,
        channel: this.forwarded?.channel ?? null,
      },
    });
    if (assetsFollow) {
      void this.sendAssets();
    }
  }

  private async sendAssets(): Promise<void> {
    const { indexURL, kernelURL, hints, fromFiles } = this.options.boot;
    let message: ToWorker;
    try {
      message = { type: 'assets', assets: fromFiles ? null : await sharedBootAssets(indexURL, kernelURL, hints) };
    } catch (error) {
      message = { type: 'assets', assets: null, problem: errorText(error) };
    }
    if (!this.ended) {
      this.post(message);
    }
  }

  get isEnded(): boolean {
    return this.ended !== null;
  }

  async exec(code: string, loadImports: boolean): Promise<unknown> {
    const epoch = this.pending.takeEpoch();
    return this.request(id => ({ type: 'exec', id, epoch, code, loadImports }));
  }

  /** Cells will import these modules. */
  expect(modules: string[]): void {
    if (!this.ended) {
      this.post({ type: 'expect', modules });
    }
  }

  async jupyter(message: MessageText): Promise<void> {
    const epoch = this.pending.takeEpoch();
    await this.request(id => ({ type: 'jupyter', id, epoch, ...message }));
  }

  /**
   * Lets the worker do a part of the work that it has offered. An interrupt may end it; the work is then still to do.
   *
   * @returns whether more is left.
   */
  async getAhead(): Promise<boolean> {
    const epoch = this.pending.takeEpoch();
    return (await this.request(id => ({ type: 'ahead', id, epoch }))) === true;
  }

  /**
   * Lets a spare Python import modules before a cell does.
   *
   * @returns whether something has been imported.
   * @throws BrowsergradError which says why this Python cannot be used any more.
   */
  async importAhead(modules: string[]): Promise<boolean> {
    return (await this.request(id => ({ type: 'import-ahead', id, modules }))) === true;
  }

  async file(operation: FileOperation): Promise<unknown> {
    return this.request(id => ({ type: 'fs', id, operation }));
  }

  async clear(): Promise<void> {
    await this.request(id => ({ type: 'clear', id }));
  }

  /** Gives a spare Python its session. */
  async adopt(adoption: Adoption): Promise<void> {
    await this.request(id => ({ type: 'adopt', id, adoption }));
  }

  /** Interrupts the request that runs or is about to run. Does nothing when idle. */
  interrupt({ limitMs = 0, storm = false }: InterruptOptions = {}): void {
    const epoch = this.shared?.runningEpoch || this.pending.oldestEpoch;
    if (!epoch || this.ended) {
      return;
    }
    this.wanted = { epoch, limitMs };
    this.shared?.interrupt(epoch, { limitMs, storm });
    this.post({ type: 'interrupt', epoch, storm, limitMs });
  }

  input(value: string): void {
    if (this.shared) {
      this.shared.input(value);
    } else if (this.info?.interruptMode === 'stack-switching') {
      this.post({ type: 'input', value });
    } else {
      this.forwarded?.input(value);
    }
  }

  /** Ends the worker, and rejects everything pending with `reason`. */
  terminate(reason: BrowsergradError): void {
    if (this.ended) {
      return;
    }
    this.ended = reason;
    this.supply?.(undefined);
    this.process.end();
    this.forwarded?.close();
    this.settleReady.reject(reason);
    this.pending.rejectAll(reason);
  }

  private crash(message: string): void {
    if (this.ended) {
      return;
    }
    const code = this.info ? 'worker-crash' : 'boot-failed';
    const error = new BrowsergradError(code, message);
    this.terminate(error);
    this.options.onCrash?.(error);
  }

  private request(make: (id: number) => ToWorker): Promise<unknown> {
    if (this.ended) {
      return Promise.reject(this.ended);
    }
    return this.pending.add(make, message => this.post(message));
  }

  private post(message: ToWorker, transfer?: Transferable[]): void {
    this.process.post(message, transfer);
  }

  /** Passes messages on. The buffers belong to the last one. */
  private deliver(texts: string[], buffers: ArrayBuffer[]): void {
    const [json, ...others] = texts;
    try {
      this.options.onMessage(json, others.length ? [] : buffers);
    } finally {
      if (others.length) {
        this.deliver(others, buffers);
      }
    }
  }

  /** The page has taken `bytes` of output in all. */
  private acknowledge(taken: number): void {
    if (this.shared) {
      this.shared.setTaken(taken);
    } else if (this.options.boot.mode === 'kernel' && !this.ended) {
      this.post({ type: 'taken', bytes: taken });
    }
  }

  private receive(message: FromWorker): void {
    switch (message.type) {
      case 'assets':
        this.supply?.(message.problem === undefined ? message.assets : new Error(message.problem));
        break;
      case 'fetch':
        void this.fetchFor(message.url);
        break;
      case 'booted':
        this.info = message.info;
        this.settleReady.resolve(message.info);
        break;
      case 'boot-failed':
        this.crash(message.message);
        break;
      case 'progress':
        this.options.onProgress?.(message.progress);
        break;
      case 'package':
        this.options.onPackageProgress?.(message.progress);
        break;
      case 'log':
        this.options.onLog?.(message.level, message.text);
        break;
      case 'done':
        this.pending.resolve(message.id, message.value);
        break;
      case 'failed':
        this.pending.reject(message.id, new BrowsergradError(message.errno ? 'file' : 'internal', message.message));
        break;
      case 'streams':
        try {
          this.options.onStreams(message.chunks);
        } finally {
          this.receipts.add(message.bytes);
        }
        break;
      case 'message':
        try {
          this.deliver(message.json.split('\n'), message.buffers);
        } finally {
          this.receipts.add(message.bytes);
        }
        break;
      case 'ahead':
        this.options.onAhead?.();
        break;
      case 'limit':
        this.options.onLimit?.(message.ms);
        break;
      case 'call':
        void this.answerCall(message.id, message.call.request);
        break;
      case 'upload':
        this.forwarded?.upload(message.id, message.data);
        break;
      case 'call-large':
        this.shared?.handOver(message.id, message.buffer);
        break;
      case 'fatal':
        this.crash(message.message);
        break;
    }
  }

  /** Fetches a file for the worker. If that fails, the worker reads the file when Python needs it. */
  private async fetchFor(url: string): Promise<void> {
    const { indexURL, kernelURL } = this.options.boot;
    if (!url.startsWith(indexURL) && !url.startsWith(kernelURL)) {
      return;
    }
    try {
      const file = await sharedFile(url);
      if (!this.ended) {
        this.post({ type: 'fetched', url, file });
      }
    } catch (error) {
      this.options.onLog?.('warning', `${url} could not be fetched ahead of need: ${errorText(error)}`);
    }
  }

  private async drive(request: unknown): Promise<DriveAnswer> {
    if (!this.options.drive) {
      return { ok: false, errno: 'ENOSYS', message: 'this page has no drive' };
    }
    try {
      return await this.options.drive.request(request);
    } catch (error) {
      return { ok: false, errno: 'EIO', message: String(error) };
    }
  }

  private async answerCall(id: number, request: unknown): Promise<void> {
    const answer = await this.drive(request);
    if (!this.ended) {
      this.shared?.answer(id, answer);
    }
  }
}
