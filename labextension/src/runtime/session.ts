/**
 * The public runtime: run Python in a worker from any page, with no bundler and no Jupyter.
 */
import { BrowsergradError, errorText } from './errors';
import type { JsModule, PackageProgress } from './protocol';
import { WorkerLink } from './worker_link';

/** Ms between an interrupt by `signal` or `timeoutMs` and the end of the worker. */
export const HARD_STOP_MS = 500;

/** Options of {@link createSession}. */
export interface SessionOptions {
  /** Folder that holds `pyodide.mjs`; same origin as the page. Required, there is no default. */
  pyodideIndexURL: string;
  /** Folder of the kernel's packs. Default: `../kernel/` beside this module's folder. */
  kernelURL?: string;
  /** Packages of the distribution to load before the session is ready. */
  packages?: string[];
  /** Called for each package as it is loaded. */
  onPackageProgress?(progress: PackageProgress): void;
  /** True to run without any way to interrupt cooperatively. */
  disableInterruptBuffer?: boolean;
  /** A worker to use instead of starting `worker.js`, for bundlers and tests; used for the first boot only. */
  worker?: Worker;
  /** JavaScript modules Python can import; `exportName` picks one export instead of all. */
  jsModules?: JsModule[];
}

export interface PassAssertion {
  kind: 'pass';
  name: string;
  durationMs?: number;
}
export interface FailAssertion {
  kind: 'fail';
  name: string;
  message: string;
  expectedRepr?: string;
  actualRepr?: string;
  durationMs?: number;
}
export interface ErrorAssertion {
  kind: 'error';
  name: string;
  message: string;
  traceback?: string;
  durationMs?: number;
}
/** What `browsergrad.assert_*` reports. */
export type Assertion = PassAssertion | FailAssertion | ErrorAssertion;

/** What `browsergrad.log` and `browsergrad.emit_*` report. */
export type Artifact =
  | { kind: 'log'; name: string; level?: string; data: unknown }
  | { kind: 'json'; name: string; data: unknown }
  | { kind: 'image'; name: string; mime: string; dataBase64: string };

/** Why an exec did not succeed. */
export type ExecErrorKind =
  | 'syntax'
  | 'runtime'
  | 'timeout'
  | 'aborted'
  | 'interrupted'
  | 'worker-crash';

export interface ExecOptions {
  /** Python; the common indentation of a template literal is cut. */
  code: string;
  /** Ms after which the code is interrupted, and 500 ms later ended with its worker. */
  timeoutMs?: number;
  /** The same at an abort. An already aborted signal runs nothing. */
  signal?: AbortSignal;
  onStdout?(text: string): void;
  onStderr?(text: string): void;
  onAssertion?(assertion: Assertion): void;
  onArtifact?(artifact: Artifact): void;
}

export interface ExecResult {
  ok: boolean;
  stdout: string;
  stderr: string;
  /** In order of arrival. */
  assertions: Assertion[];
  artifacts: Artifact[];
  error: { kind: ExecErrorKind; message: string; traceback?: string } | null;
  durationMs: number;
}

/** Reads and writes of Python's file system. Paths are absolute or relative to `/home/pyodide`. */
export interface SessionFiles {
  /** Makes missing parent folders. */
  write(path: string, data: string | Uint8Array): Promise<void>;
  /** The file as UTF-8 text. */
  read(path: string): Promise<string>;
  readBytes(path: string): Promise<Uint8Array>;
}

interface Run {
  options: ExecOptions;
  result: Omit<ExecResult, 'durationMs'>;
  stopped: { kind: 'timeout' | 'aborted' | 'interrupted'; message: string } | null;
}

/** Calls back into the page; what the page throws is reported as its own error, and what follows still comes. */
function tell<T>(callback: ((value: T) => void) | undefined, value: T): void {
  try {
    callback?.(value);
  } catch (error) {
    reportError(error);
  }
}

function invalid(message: string): never {
  throw new BrowsergradError('bad-option', message);
}

function checkOptions(options: SessionOptions): void {
  if (typeof options !== 'object' || options === null) {
    invalid('createSession needs an options object with pyodideIndexURL');
  }
  if (typeof options.pyodideIndexURL !== 'string' || options.pyodideIndexURL === '') {
    invalid('createSession needs pyodideIndexURL: the URL of the folder that holds pyodide.mjs');
  }
  const url = folderURL(options.pyodideIndexURL, 'pyodideIndexURL');
  if (url.origin !== location.origin) {
    invalid(
      `pyodideIndexURL must have the page's origin (${location.origin}), not ${url.origin}: copy the Pyodide folder to your site`,
    );
  }
  if (
    options.packages !== undefined &&
    !(Array.isArray(options.packages) && options.packages.every(name => typeof name === 'string'))
  ) {
    invalid('packages must be a list of strings');
  }
  if (options.jsModules !== undefined) {
    if (!Array.isArray(options.jsModules)) {
      invalid('jsModules must be a list of {name, importURL, exportName?}');
    }
    for (const module of options.jsModules) {
      if (typeof module?.name !== 'string' || typeof module.importURL !== 'string') {
        invalid('each of jsModules needs a name and an importURL, both strings');
      }
    }
  }
}

function folderURL(text: string, name: string): URL {
  try {
    return new URL(text.endsWith('/') ? text : `${text}/`, document.baseURI);
  } catch {
    return invalid(`${name} is not a URL: ${JSON.stringify(text)}`);
  }
}

/**
 * Boots Python in a worker of its own.
 *
 * @throws BrowsergradError `bad-option`, or `boot-failed` with what failed, where, and how to mend it.
 */
export async function createSession(options: SessionOptions): Promise<Session> {
  checkOptions(options);
  const session = new Session(options);
  await session.booted();
  return session;
}

/** A running Python; made by {@link createSession}. */
export class Session {
  readonly fs: SessionFiles = {
    write: async (path, data) => {
      const link = this.usable();
      const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data.slice();
      await link.file({ kind: 'write', path: this.path(path), data: bytes });
      this.files.set(this.path(path), bytes);
    },
    read: async path => new TextDecoder().decode(await this.fs.readBytes(path)),
    readBytes: async path =>
      (await this.usable().file({ kind: 'read', path: this.path(path) })) as Uint8Array,
  };

  private link!: WorkerLink;
  private boot!: Promise<unknown>;
  private run: Run | null = null;
  private disposedError: BrowsergradError | null = null;
  /** What was written through `fs`, put back after a hard stop. */
  private readonly files = new Map<string, Uint8Array>();

  /** @internal use {@link createSession}. */
  constructor(private readonly options: SessionOptions) {
    this.start(options.worker);
  }

  /** @internal */
  async booted(): Promise<void> {
    await this.boot;
  }

  /** Whether running code can be interrupted and keeps its names. */
  get canInterrupt(): boolean {
    const mode = this.link.info?.interruptMode ?? 'none';
    return this.options.disableInterruptBuffer !== true && mode !== 'none';
  }

  /**
   * Runs code in the session's namespace.
   *
   * @throws BrowsergradError `busy` while another exec runs, `disposed`, `bad-option`. What the code
   * does never throws: see `ExecResult.error`.
   */
  async exec(options: ExecOptions): Promise<ExecResult> {
    if (typeof options?.code !== 'string') {
      invalid('exec needs {code: string}');
    }
    const { timeoutMs, signal } = options;
    if (timeoutMs !== undefined && !(typeof timeoutMs === 'number' && timeoutMs > 0)) {
      invalid(`timeoutMs must be a number of milliseconds above 0, not ${String(timeoutMs)}`);
    }
    this.usable();
    if (this.run) {
      throw new BrowsergradError('busy', 'an exec is running: await it, or interrupt() it first');
    }
    const run: Run = {
      options,
      result: { ok: false, stdout: '', stderr: '', assertions: [], artifacts: [], error: null },
      stopped: null,
    };
    const started = performance.now();
    const finish = (error: ExecResult['error']): ExecResult => {
      run.result.error = error;
      run.result.ok = error === null;
      return { ...run.result, durationMs: performance.now() - started };
    };
    if (signal?.aborted) {
      return finish({ kind: 'aborted', message: 'the signal was aborted before the code started' });
    }
    this.run = run;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let hardTimer: ReturnType<typeof setTimeout> | undefined;
    const stop = (kind: 'timeout' | 'aborted', message: string): void => {
      run.stopped ??= { kind, message };
      this.link.interrupt();
      hardTimer ??= setTimeout(
        () => this.hardStop(),
        this.canInterrupt ? HARD_STOP_MS : 0,
      );
    };
    const onAbort = (): void => stop('aborted', 'the signal was aborted');
    try {
      await this.boot;
      signal?.addEventListener('abort', onAbort, { once: true });
      if (signal?.aborted) {
        onAbort();
      }
      if (timeoutMs !== undefined) {
        timer = setTimeout(() => stop('timeout', `the code ran longer than ${timeoutMs} ms`), timeoutMs);
      }
      const { error } = (await this.link.exec(options.code, true)) as Pick<ExecResult, 'error'>;
      return finish(error?.kind === 'interrupted' && run.stopped ? { ...error, ...run.stopped } : error);
    } catch (error) {
      if (this.disposedError) {
        return finish({ kind: 'aborted', message: this.disposedError.message });
      }
      const lost = 'the namespace was lost, files written through fs were put back';
      return finish(
        run.stopped
          ? { kind: run.stopped.kind, message: `${run.stopped.message}; it did not answer an interrupt, so its worker was ended: ${lost}` }
          : { kind: 'worker-crash', message: `Python stopped (${errorText(error)}): ${lost}` },
      );
    } finally {
      clearTimeout(timer);
      clearTimeout(hardTimer);
      signal?.removeEventListener('abort', onAbort);
      if (this.run === run) {
        this.run = null;
      }
    }
  }

  /** Interrupts the running exec; nothing happens when idle. */
  interrupt(): void {
    if (this.run && !this.disposedError) {
      this.link.interrupt();
    }
  }

  /** Forgets all names the code has made; loaded packages stay. */
  async clearNamespace(): Promise<void> {
    await this.boot;
    await this.usable().clear();
  }

  /** Ends the worker. Everything pending settles, everything later rejects. May be called twice. */
  dispose(): void {
    this.disposedError ??= new BrowsergradError('disposed', 'the session has been disposed');
    this.link.terminate(this.disposedError);
  }

  private usable(): WorkerLink {
    if (this.disposedError) {
      throw this.disposedError;
    }
    return this.link;
  }

  private path(path: string): string {
    if (typeof path !== 'string' || path === '' || path.includes('\0')) {
      invalid(`a path must be a string that is not empty, not ${JSON.stringify(path)}`);
    }
    return path.startsWith('/') ? path : `/home/pyodide/${path}`;
  }

  private start(worker?: Worker): void {
    const { options } = this;
    const base = new URL('./', import.meta.url);
    this.link = new WorkerLink({
      worker,
      workerURL: new URL('./worker.js', base),
      boot: {
        mode: 'session',
        indexURL: folderURL(options.pyodideIndexURL, 'pyodideIndexURL').href,
        kernelURL: folderURL(options.kernelURL ?? new URL('../kernel/', base).href, 'kernelURL').href,
        interruptible: options.disableInterruptBuffer !== true,
        packages: options.packages ?? [],
        jsModules: (options.jsModules ?? []).map(module => ({
          ...module,
          importURL: new URL(module.importURL, document.baseURI).href,
        })),
        cwd: null,
        kernel: null,
      },
      serviceWorkerBase: null,
      onStreams: chunks => {
        for (const { name, text } of chunks) {
          this.text(name, text);
        }
      },
      onMessage: json => this.event(JSON.parse(json) as { content: SessionEvent }),
      onPackageProgress: options.onPackageProgress,
      onCrash: error => this.crashed(error),
    });
    this.boot = this.link.ready.then(async () => {
      for (const [path, data] of this.files) {
        await this.link.file({ kind: 'write', path, data });
      }
    });
    this.boot.catch(() => undefined); // whoever awaits it sees the error
  }

  private text(name: 'stdout' | 'stderr', text: string): void {
    if (!this.run) {
      return;
    }
    this.run.result[name] += text;
    const { onStdout, onStderr } = this.run.options;
    tell(name === 'stdout' ? onStdout : onStderr, text);
  }

  private event({ content }: { content: SessionEvent }): void {
    if (!this.run) {
      return;
    }
    if (content.type === 'assertion') {
      this.run.result.assertions.push(content.event);
      tell(this.run.options.onAssertion, content.event);
    } else {
      this.run.result.artifacts.push(content.event);
      tell(this.run.options.onArtifact, content.event);
    }
  }

  private hardStop(): void {
    this.link.terminate(new BrowsergradError('worker-crash', 'the worker was ended'));
    this.start();
  }

  private crashed(error: BrowsergradError): void {
    if (!this.disposedError && error.code === 'worker-crash') {
      this.start();
    }
  }
}

type SessionEvent =
  | { type: 'assertion'; event: Assertion }
  | { type: 'artifact'; event: Artifact };
