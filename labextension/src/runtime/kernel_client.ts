/**
 * The runtime as a Jupyter kernel: takes and sends whole messages. It is internal, for the labextension's kernel; pages use
 * `createSession`.
 */
import type { FetchHints } from './boot_assets';
import { BrowsergradError } from './errors';
import type {
  BootInfo,
  BootProgress,
  DriveAnswer,
  InterruptOptions,
  JupyterMessage,
  PackageProgress,
  StreamChunk,
} from './protocol';
import { WorkerLink } from './worker_link';

/** Python's home folder, in its own memory. */
const HOME = '/home/pyodide';

export interface KernelClientOptions {
  /** Absolute URL of the folder that holds `pyodide.mjs`, with a trailing slash. */
  pyodideIndexURL: string;
  /** Absolute URL of the labextension's `static/kernel/`, with a trailing slash. */
  kernelURL: string;
  /** What the page knows about these folders and the line. */
  hints?: FetchHints;
  /** Default: `worker.js` beside this module. */
  workerURL?: string | URL;
  sessionId: string;
  /** Folder of the notebook in the drive; '' is the root. */
  cwd?: string;
  piplite: { urls: string[]; disablePyPI: boolean };
  /** Answers file-system requests; without it Python sees no drive. */
  drive?: { request(request: unknown): Promise<DriveAnswer> };
  /** Root of the site. */
  baseUrl: string;
  /** Whether to remove from the worker's scope what Deno offers beyond a browser. */
  sealed?: boolean;
  /** Whether to start from Pyodide's files even if there is a memory snapshot. */
  fromFiles?: boolean;
  /** MB that Python's memory may take; undefined for no limit. */
  memoryMB?: number;
  /** Whether the site's service worker answers. */
  serviceWorker: boolean;
  onMessage(message: JupyterMessage): void;
  /** Settles when the page has had time to show what it was given. Code that prints waits for that. */
  shown?(averageBytes: number): Promise<void>;
  onProgress?(progress: BootProgress): void;
  onPackageProgress?(progress: PackageProgress): void;
  onLog?(level: 'info' | 'warning' | 'error', text: string): void;
  /** The running cell asks for a time limit of `ms`, counted from now. */
  onLimit?(ms: number): void;
  /** The kernel has work to do ahead of need: call `getAhead`. */
  onAhead?(): void;
  onCrash?(error: BrowsergradError): void;
}

export class KernelClient {
  readonly ready: Promise<BootInfo>;
  private readonly link: WorkerLink;

  private readonly options: KernelClientOptions;

  constructor(given: KernelClientOptions) {
    const options = { ...given };
    this.options = options;
    const { drive } = options;
    this.link = new WorkerLink({
      workerURL: options.workerURL ?? new URL('./worker.js', import.meta.url),
      boot: {
        mode: 'kernel',
        indexURL: options.pyodideIndexURL,
        kernelURL: options.kernelURL,
        hints: options.hints,
        interruptible: true,
        packages: [],
        jsModules: [],
        cwd: drive ? (options.cwd ?? '') : null,
        sealed: options.sealed ?? false,
        fromFiles: options.fromFiles ?? false,
        memoryMB: options.memoryMB,
        kernel: {
          session_id: options.sessionId,
          piplite_urls: options.piplite.urls,
          disable_pypi: options.piplite.disablePyPI,
        },
      },
      serviceWorkerBase: options.serviceWorker ? options.baseUrl : null,
      drive: drive && { request: request => options.drive!.request(request) },
      shown: options.shown,
      onStreams: chunks => chunks.forEach(chunk => this.stream(chunk)),
      onMessage: (json, buffers) => options.onMessage({ ...(JSON.parse(json) as JupyterMessage), buffers }),
      onProgress: progress => options.onProgress?.(progress),
      onPackageProgress: progress => options.onPackageProgress?.(progress),
      onLog: (level, text) => options.onLog?.(level, text),
      onLimit: ms => options.onLimit?.(ms),
      onAhead: () => options.onAhead?.(),
      onCrash: error => options.onCrash?.(error),
    });
    this.ready = this.link.ready;
  }

  get interruptMode(): BootInfo['interruptMode'] {
    return this.link.info?.interruptMode ?? 'none';
  }

  /** Whether Python sees the page's files. */
  get hasDrive(): boolean {
    return this.options.drive !== undefined;
  }

  /** How Python was started; null before it has started. */
  get startedFrom(): BootInfo['from'] | null {
    return this.link.info?.from ?? null;
  }

  /** Whether running code can be interrupted without losing its variables. */
  get canInterrupt(): boolean {
    return this.interruptMode !== 'none';
  }

  /**
   * Sends a request of the shell or control channel.
   *
   * @returns a promise that settles when Python has handled the request and sent its idle status.
   * @throws BrowsergradError `worker-crash`, `boot-failed` or `disposed`.
   */
  async request({ buffers = [], ...message }: JupyterMessage): Promise<void> {
    const text = { msg_type: message.header.msg_type, json: JSON.stringify(message), buffers };
    await this.ready;
    await this.link.jupyter(text);
  }

  /**
   * Lets Python do a part of the work that the next request may need. Interrupt it when a request comes.
   *
   * @returns whether more is left.
   */
  getAhead(): Promise<boolean> {
    return this.link.getAhead();
  }

  /** Fetches and compiles the site's packages of these modules. Requests do not wait for it. */
  expect(modules: string[]): void {
    this.link.expect(modules);
  }

  /**
   * Lets a spare Python import modules before a cell does, so that no code can tell. Nothing interrupts that, except `dispose`.
   *
   * @returns whether something has been imported.
   * @throws BrowsergradError which says why this Python cannot be used any more.
   */
  importAhead(modules: string[]): Promise<boolean> {
    return this.link.importAhead(modules);
  }

  /** Writes a file of Python's own file system, outside the drive. Makes its folder if needed. */
  async write(path: string, data: Uint8Array): Promise<void> {
    await this.ready;
    await this.link.file({ kind: 'write', path, data });
  }

  /** The files in Python's home folder, which is its working directory where there is no drive. They are lost with the worker. */
  async homeFiles(): Promise<Record<string, Uint8Array>> {
    await this.ready;
    return (await this.link.file({ kind: 'read-all', path: HOME })) as Record<string, Uint8Array>;
  }

  /** Changes the options of a spare Python that has started. Later requests wait for that. */
  async adopt(changes: Partial<KernelClientOptions>): Promise<void> {
    Object.assign(this.options, changes);
    const { sessionId, drive, cwd = '' } = this.options;
    await this.link.adopt({ session_id: sessionId, cwd: drive ? cwd : null });
  }

  /** Interrupts the running request. Does nothing when idle. */
  interrupt(options?: InterruptOptions): void {
    this.link.interrupt(options);
  }

  inputReply(value: string): void {
    this.link.input(value);
  }

  dispose(): void {
    this.link.terminate(new BrowsergradError('disposed', 'the kernel has been shut down'));
  }

  private stream({ name, text, parent }: StreamChunk): void {
    const parentHeader = JSON.parse(parent) as JupyterMessage['parent_header'];
    this.options.onMessage({
      channel: 'iopub',
      header: {
        msg_id: crypto.randomUUID(),
        msg_type: 'stream',
        session: parentHeader.session ?? this.options.sessionId,
        username: 'browsergrad',
        date: new Date().toISOString(),
        version: '5.4',
      },
      parent_header: parentHeader,
      metadata: {},
      content: { name, text },
    });
  }
}
