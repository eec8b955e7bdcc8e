/**
 * One worker as the page sees it: starts it, numbers requests, answers its calls, and settles
 * everything pending when it ends. Session and KernelClient stand on it.
 */
import { fetchAsset, scriptProblem } from './assets';
import { toBase64 } from './base64';
import { offerBootAssets, sharedBootAssets, type Supply } from './boot_assets';
import { BrowsergradError, errorText } from './errors';
import {
  ANSWER_BYTES,
  Control,
  INPUT_CALL,
  REPLY_BYTES,
  type Adoption,
  type BootInfo,
  type BootOptions,
  type BootProgress,
  type DriveAnswer,
  type FileOperation,
  type FromWorker,
  type InterruptOptions,
  type JupyterMessage,
  type PackageProgress,
  type StreamChunk,
  type ToWorker,
} from './protocol';
import { canShare } from './sharing';

/** The channel on which JupyterLite's service worker forwards synchronous requests. */
const SERVICE_WORKER_CHANNEL = '/sw-api.v1';
/** Ms a worker's script may take before it is asked for again, the first time and the last; doubled each time. */
const LOAD_MS = 10_000;
const LONGEST_LOAD_MS = 40_000;

export interface WorkerLinkOptions {
  /** The worker, instead of one from `workerURL`. */
  worker?: Worker;
  /** Makes the worker, instead of starting `workerURL`; asked again where a script does not load. */
  makeWorker?(): Worker;
  workerURL: string | URL;
  boot: Omit<BootOptions, 'control' | 'reply' | 'channel'>;
  /** Site root whose service worker forwards `api/drive`; null where there is none. */
  serviceWorkerBase: string | null;
  onStreams(chunks: StreamChunk[]): void;
  onMessage(json: string, buffers: ArrayBuffer[]): void;
  /**
   * Settles when the page has had time to show what it was given, which counts as in flight until then.
   * Default: at once.
   */
  shown?(): Promise<void>;
  onProgress?(progress: BootProgress): void;
  onPackageProgress?(progress: PackageProgress): void;
  onLog?(level: 'info' | 'warning' | 'error', text: string): void;
  /** The running cell asks to be limited to so many ms from now on. */
  onLimit?(ms: number): void;
  /** There is something to do ahead of need: `getAhead`. */
  onAhead?(): void;
  /** The worker ended by itself; everything pending has been rejected before. */
  onCrash?(error: BrowsergradError): void;
  drive?: { request(request: unknown): Promise<DriveAnswer> };
}

interface Pending {
  /** What interrupts are addressed to; 0 for requests that can't be interrupted. */
  epoch: number;
  resolve(value: unknown): void;
  reject(error: BrowsergradError): void;
}

/** Packs `[uint32 JSON length][JSON][bytes]`; a Uint8Array becomes `{"$bytes": [offset, length]}`. */
export function packAnswer(value: unknown): Uint8Array {
  const parts: Uint8Array[] = [];
  let size = 0;
  const json = new TextEncoder().encode(
    JSON.stringify(value, (_key, item) => {
      if (item instanceof Uint8Array) {
        parts.push(item);
        size += item.length;
        return { $bytes: [size - item.length, item.length] };
      }
      return item;
    }),
  );
  const packed = new Uint8Array(4 + json.length + size);
  new DataView(packed.buffer).setUint32(0, json.length, true);
  packed.set(json, 4);
  let offset = 4 + json.length;
  for (const part of parts) {
    packed.set(part, offset);
    offset += part.length;
  }
  return packed;
}

export class WorkerLink {
  readonly ready: Promise<BootInfo>;
  info: BootInfo | null = null;
  /** Undefined where none could be made. */
  private worker: Worker | undefined;
  /** What was posted to a worker that has not come to life yet. */
  private early: ToWorker[] | null = [];
  private loading: ReturnType<typeof setTimeout> | undefined;
  private readonly memory: WebAssembly.Memory | null = null;
  private readonly control: Int32Array | null = null;
  private readonly reply: SharedArrayBuffer | null = null;
  private readonly broadcast: BroadcastChannel | null = null;
  private readonly pending = new Map<number, Pending>();
  private readonly largeAnswers = new Map<number, Uint8Array>();
  /** Bytes that came ahead of the forwarded request that names them, and requests that wait for theirs. */
  private readonly uploaded = new Map<string, Uint8Array>();
  private readonly uploads = new Map<string, (data: Uint8Array) => void>();
  /** Address of the bytes of the last answer, where they were too many for it. */
  private download = '';
  private readonly queuedInput: string[] = [];
  /** Bytes of output that were handed on and not acknowledged, and of those that were, modulo 2^32. */
  private untaken = 0;
  private takenBytes = 0;
  private showing = false;
  /** Takes the assets that the worker loads itself. */
  private readonly supply: Supply | null = null;
  private nextId = 1;
  private nextEpoch = 1;
  /** What the page wants interrupted; for workers that have to ask. */
  private wanted = { epoch: 0, limitMs: 0 };
  private ended: BrowsergradError | null = null;
  private settleReady!: { resolve(info: BootInfo): void; reject(error: BrowsergradError): void };

  constructor(private readonly options: WorkerLinkOptions) {
    this.ready = new Promise((resolve, reject) => {
      this.settleReady = { resolve, reject };
    });
    this.ready.catch(() => undefined); // whoever awaits it sees the error
    const shared = options.boot.interruptible && canShare();
    if (shared) {
      this.memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
      this.control = new Int32Array(this.memory.buffer, 0, Control.Length);
      this.reply = new SharedArrayBuffer(REPLY_BYTES);
    }
    let channel: BootOptions['channel'] = null;
    if (!shared && options.serviceWorkerBase !== null) {
      const id = `browsergrad-${crypto.randomUUID()}`;
      channel = { id, url: new URL('api/drive', options.serviceWorkerBase).href };
      this.broadcast = new BroadcastChannel(SERVICE_WORKER_CHANNEL);
      this.broadcast.addEventListener('message', event => void this.answerForwarded(id, event.data));
    }
    this.load(LOAD_MS);
    const { mode, indexURL, kernelURL } = options.boot;
    // Unless the page has them: it may be busy, the worker is not. Outside of browsers there is nothing to be busy with.
    if (mode === 'kernel' && typeof document !== 'undefined') {
      this.supply = offerBootAssets(indexURL, kernelURL);
    }
    const assetsFollow = mode === 'kernel' && !this.supply;
    this.post({
      type: 'boot',
      options: {
        ...options.boot,
        assetsFollow,
        control: this.memory,
        reply: this.reply,
        channel,
      },
    });
    if (assetsFollow) {
      void this.sendAssets();
    }
  }

  /**
   * Loads the worker. A browser may lose the request of its script, above all while a site's service worker takes the
   * place of another; what was posted is then posted to a second worker.
   */
  private load(patience: number): void {
    const { worker: given, workerURL } = this.options;
    let worker: Worker;
    try {
      worker = this.worker = given ?? this.make();
    } catch (error) {
      // Not at once: whoever makes a link wants to have it first.
      queueMicrotask(() => this.crash(`no worker could be made: ${errorText(error)}`));
      return;
    }
    worker.onmessage = event => this.receive(event.data as FromWorker);
    worker.onerror = event => {
      event.preventDefault?.();
      void this.failed(event.message);
    };
    worker.onmessageerror = () => this.crash('a message of the worker could not be read');
    this.early?.forEach(message => worker.postMessage(message));
    if (given) {
      this.early = null; // there is no second one to post it to
      return;
    }
    this.loading = setTimeout(() => {
      const problem = `the worker ${String(workerURL)} has not been loaded within ${patience / 1000} s`;
      if (patience >= LONGEST_LOAD_MS) {
        this.crash(`${problem}: is the site still being served? Reload the page`);
        return;
      }
      this.options.onLog?.('warning', `${problem}: it is loaded again`);
      this.unload();
      this.load(2 * patience);
    }, patience);
  }

  /** Ends a worker that failed; where its script could not be loaded, the browser does not say why. */
  private async failed(message: string | undefined): Promise<void> {
    const { worker, makeWorker, workerURL, boot } = this.options;
    const url = String(workerURL);
    if (worker || makeWorker) {
      this.crash(`the worker that was given failed: ${message || 'its script could not be loaded'}`);
    } else if (message) {
      this.crash(`the worker ${url} failed: ${message}`);
    } else {
      const remedy =
        boot.mode === 'session'
          ? 'worker.js has to lie where the runtime looks for it, beside index.js; else pass worker: () => new Worker(…)'
          : 'check that the file exists and is served as text/javascript';
      this.crash(`the worker ${url} could not be loaded (${await scriptProblem(url)}): ${remedy}`);
    }
  }

  private make(): Worker {
    const { makeWorker, workerURL } = this.options;
    return makeWorker ? makeWorker() : new Worker(workerURL, { type: 'module', name: 'browsergrad' });
  }

  private unload(): void {
    clearTimeout(this.loading);
    if (this.worker) {
      this.worker.onmessage = this.worker.onerror = null;
      this.worker.terminate();
    }
  }

  private async sendAssets(): Promise<void> {
    const { indexURL, kernelURL, fromFiles } = this.options.boot;
    let message: ToWorker;
    try {
      message = { type: 'assets', assets: fromFiles ? null : await sharedBootAssets(indexURL, kernelURL) };
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
    return this.request(id => ({ type: 'exec', id, epoch: this.takeEpoch(), code, loadImports }));
  }

  async jupyter(message: JupyterMessage): Promise<number> {
    const epoch = this.takeEpoch();
    await this.request(id => ({ type: 'jupyter', id, epoch, message }));
    return epoch;
  }

  /** Lets the worker do some of what it offered. @returns whether more is left; an interrupt may end it, and leaves it. */
  async getAhead(): Promise<boolean> {
    return (await this.request(id => ({ type: 'ahead', id, epoch: this.takeEpoch() }))) === true;
  }

  async file(operation: FileOperation): Promise<unknown> {
    return this.request(id => ({ type: 'fs', id, operation }));
  }

  async clear(): Promise<void> {
    await this.request(id => ({ type: 'clear', id }));
  }

  /** Makes a spare worker somebody's kernel. */
  async adopt(adoption: Adoption): Promise<void> {
    await this.request(id => ({ type: 'adopt', id, adoption }));
  }

  /** Interrupts the request that runs, or is about to; none: nothing happens. */
  interrupt({ limitMs = 0, storm = false }: InterruptOptions = {}): void {
    const running = this.control ? Atomics.load(this.control, Control.Epoch) : 0;
    const epoch = running || this.oldestEpoch();
    if (!epoch || this.ended) {
      return;
    }
    this.wanted = { epoch, limitMs };
    if (this.control) {
      if (limitMs) {
        Atomics.store(this.control, Control.LimitMs, limitMs);
        Atomics.store(this.control, Control.TimedOut, epoch);
      }
      if (storm) {
        Atomics.store(this.control, Control.Storm, epoch);
      }
      Atomics.store(this.control, Control.Interrupt, epoch);
      this.wake();
    }
    this.post({ type: 'interrupt', epoch, storm, limitMs });
  }

  input(value: string): void {
    if (this.reply && this.control) {
      const bytes = new TextEncoder().encode(value);
      if (bytes.length <= REPLY_BYTES) {
        new Uint8Array(this.reply).set(bytes);
      } else {
        this.largeAnswers.set(INPUT_CALL, bytes);
      }
      Atomics.store(this.control, Control.CallLength, bytes.length);
      Atomics.store(this.control, Control.InputReady, 1);
      this.wake();
    } else if (this.info?.interruptMode === 'stack-switching') {
      this.post({ type: 'input', value });
    } else {
      this.queuedInput.push(value);
    }
  }

  /** Ends the worker at once; everything pending is rejected with `reason`. */
  terminate(reason: BrowsergradError): void {
    if (this.ended) {
      return;
    }
    this.ended = reason;
    this.supply?.(undefined);
    this.unload();
    this.broadcast?.close();
    this.withdraw();
    this.settleReady.reject(reason);
    for (const { reject } of this.pending.values()) {
      reject(reason);
    }
    this.pending.clear();
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

  private takeEpoch(): number {
    return this.nextEpoch++;
  }

  /** Epoch of the request that was sent first and has not been answered; 0 when idle. */
  private oldestEpoch(): number {
    for (const { epoch } of this.pending.values()) {
      if (epoch) {
        return epoch;
      }
    }
    return 0;
  }

  private request(make: (id: number) => ToWorker): Promise<unknown> {
    if (this.ended) {
      return Promise.reject(this.ended);
    }
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      const message = make(id);
      this.pending.set(id, { epoch: 'epoch' in message ? message.epoch : 0, resolve, reject });
      this.post(message);
    });
  }

  private post(message: ToWorker): void {
    this.early?.push(message);
    this.worker?.postMessage(message);
  }

  private wake(): void {
    Atomics.add(this.control!, Control.Wake, 1);
    Atomics.notify(this.control!, Control.Wake);
  }

  /** Hands messages over; the buffers belong to the last one. */
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

  private taken(bytes: number): void {
    this.untaken += bytes;
    if (!this.options.shown) {
      this.acknowledge(bytes);
    } else if (!this.showing) {
      void this.acknowledgeShown(this.options.shown);
    }
  }

  private async acknowledgeShown(shown: () => Promise<void>): Promise<void> {
    this.showing = true;
    while (this.untaken && !this.ended) {
      const bytes = this.untaken;
      await shown();
      this.acknowledge(bytes);
    }
    this.showing = false;
  }

  private acknowledge(bytes: number): void {
    this.untaken -= bytes;
    this.takenBytes = (this.takenBytes + bytes) | 0;
    if (this.control) {
      Atomics.store(this.control, Control.OutputTaken, this.takenBytes);
      this.wake();
    } else if (this.options.boot.mode === 'kernel' && !this.ended) {
      this.post({ type: 'taken', bytes: this.takenBytes });
    }
  }

  private receive(message: FromWorker): void {
    switch (message.type) {
      case 'alive':
        clearTimeout(this.loading);
        this.early = null;
        break;
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
        this.pending.get(message.id)?.resolve(message.value);
        this.pending.delete(message.id);
        break;
      case 'failed':
        this.pending
          .get(message.id)
          ?.reject(new BrowsergradError(message.errno ? 'file' : 'internal', message.message));
        this.pending.delete(message.id);
        break;
      case 'streams':
        try {
          this.options.onStreams(message.chunks);
        } finally {
          this.taken(message.bytes);
        }
        break;
      case 'message':
        try {
          this.deliver(message.json.split('\n'), message.buffers);
        } finally {
          this.taken(message.bytes);
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
        this.uploads.get(message.id)?.(message.data);
        if (!this.uploads.delete(message.id)) {
          this.uploaded.set(message.id, message.data);
        }
        break;
      case 'call-large':
        this.handOver(message.id, message.buffer);
        break;
      case 'fatal':
        this.crash(message.message);
        break;
    }
  }

  /** Fetches a file for the worker; where that fails, the worker reads it when Python needs it. */
  private async fetchFor(url: string): Promise<void> {
    const { indexURL, kernelURL } = this.options.boot;
    if (!url.startsWith(indexURL) && !url.startsWith(kernelURL)) {
      return;
    }
    try {
      const bytes = new Uint8Array(await (await fetchAsset(url)).arrayBuffer());
      if (!this.ended) {
        this.worker?.postMessage({ type: 'fetched', url, bytes } satisfies ToWorker, [bytes.buffer]);
      }
    } catch (error) {
      this.options.onLog?.('warning', `${url} could not be fetched ahead of need: ${errorText(error)}`);
    }
  }

  // --- calls the worker waits for

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
    const packed = packAnswer(await this.drive(request));
    if (!this.control || !this.reply || this.ended) {
      return;
    }
    if (packed.length <= REPLY_BYTES) {
      new Uint8Array(this.reply).set(packed);
    } else {
      // The worker takes the answer to its last call only: one that nobody waits for any more is not kept.
      for (const earlier of this.largeAnswers.keys()) {
        if (earlier !== INPUT_CALL) {
          this.largeAnswers.delete(earlier);
        }
      }
      this.largeAnswers.set(id, packed);
    }
    Atomics.store(this.control, Control.CallLength, packed.length);
    Atomics.store(this.control, Control.CallAnswered, id);
    this.wake();
  }

  private handOver(id: number, buffer: SharedArrayBuffer): void {
    const packed = this.largeAnswers.get(id);
    this.largeAnswers.delete(id);
    if (packed && this.control) {
      new Uint8Array(buffer).set(packed);
      Atomics.store(this.control, Control.CallAnswered, -id);
      this.wake();
    }
  }

  /** The answer as JSON can carry it: few bytes in base64, many by an address, until the next call. */
  private forTransport(response: unknown): unknown {
    const value = (response as { value?: { data?: unknown } } | null)?.value;
    const bytes = value?.data;
    if (!(bytes instanceof Uint8Array)) {
      return response;
    }
    let data: object;
    if (bytes.length > ANSWER_BYTES) {
      this.download = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]));
      data = { $download: this.download };
    } else {
      data = { $bytes: toBase64(bytes) };
    }
    return { ...(response as object), value: { ...value, data } };
  }

  private withdraw(): void {
    if (this.download) {
      URL.revokeObjectURL(this.download);
      this.download = '';
    }
  }

  /** The request with the bytes it names. */
  private async withUpload(request: unknown): Promise<unknown> {
    const data = (request as { data?: { data?: { $upload?: string } } } | undefined)?.data;
    const id = data?.data?.$upload;
    if (id === undefined) {
      return request;
    }
    let bytes = this.uploaded.get(id);
    this.uploaded.delete(id);
    bytes ??= await new Promise<Uint8Array>(resolve => this.uploads.set(id, resolve));
    return { ...(request as object), data: { ...data, data: bytes } };
  }

  /** Answers what the service worker forwarded from our worker. */
  private async answerForwarded(
    id: string,
    message: { browsingContextId?: string; requestId?: string; data?: Record<string, unknown> },
  ): Promise<void> {
    if (message.browsingContextId !== id || !message.data) {
      return;
    }
    this.withdraw();
    const { kind } = message.data;
    let response: unknown = null;
    if (kind === 'interrupt?') {
      response = this.wanted.epoch === message.data.epoch ? this.wanted.limitMs : null;
    } else if (kind === 'input?') {
      response = this.queuedInput.shift() ?? null;
    } else if (kind === 'taken?') {
      response = this.takenBytes;
    } else {
      response = await this.drive(await this.withUpload(message.data.request));
    }
    if (!this.ended) {
      this.broadcast?.postMessage({
        response: this.forTransport(response),
        browsingContextId: id,
        requestId: message.requestId,
      });
    }
  }
}
