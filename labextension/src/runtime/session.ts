/**
 * The public runtime: runs Python in a worker, from any page, without a bundler or Jupyter.
 */
import type { ExecOptions, ExecResult, Session, SessionFS, SessionOptions } from './api';
import { BrowsergradError, errorText } from './errors';
import { checkData, checkExec, checkPath, checkSession, type CheckedSession } from './options';
import type { FileOperation, InterruptMode } from './protocol';
import { Run, type SessionEvent, type Stop } from './run';
import { WorkerLink } from './worker_link';

/** Ms between an interrupt by `signal` or `timeoutMs` and the end of the worker. */
const HARD_STOP_MS = 500;

/**
 * Boots Python in a worker of its own.
 *
 * @throws BrowsergradError `bad-option`, `no-browser`, or `boot-failed`, which says what failed, where, and how to repair it.
 */
export async function createSession(options: SessionOptions): Promise<Session> {
  const session = new WorkerSession(checkSession(options));
  await session.live();
  return session;
}

/**
 * A session. It has one worker at a time; when that was ended or has crashed, another follows:
 *
 * | `link` | `hasBooted` | what happens next |
 * |---|---|---|
 * | starting | false | everything waits for it |
 * | started | true | requests are sent to it |
 * | ended by a hard stop or a crash | true | the next one starts at once |
 * | ended before it had started | false | the next request starts another, unless the session is `over` |
 */
class WorkerSession implements Session {
  readonly fs: SessionFS = {
    write: async (path, content) => {
      const target = checkPath(path);
      const data = checkData(content);
      await this.file({ kind: 'write', path: target, data });
      this.files.set(target, data);
    },
    read: async path => new TextDecoder().decode(await this.fs.readBytes(path)),
    readBytes: async path => (await this.file({ kind: 'read', path: checkPath(path) })) as Uint8Array,
  };

  private link!: WorkerLink;
  /** Settles when `link` has started and has got its files. */
  private boot!: Promise<void>;
  private hasBooted = false;
  private run: Run | null = null;
  /** Why the session is over: it was disposed, or its only worker has ended. Null before. */
  private over: BrowsergradError | null = null;
  private interruptMode: InterruptMode = 'none';
  /** Files that were written through `fs`. They are written again after a hard stop. */
  private readonly files = new Map<string, Uint8Array>();

  constructor(private readonly options: CheckedSession) {
    const { worker } = options;
    this.start(typeof worker === 'function' ? undefined : worker);
  }

  get canInterrupt(): boolean {
    return this.options.disableInterruptBuffer !== true && this.interruptMode !== 'none';
  }

  async exec(given: ExecOptions): Promise<ExecResult> {
    const options = checkExec(given);
    const { signal } = options;
    this.checkUsable();
    if (this.run) {
      throw new BrowsergradError('busy', 'an exec is already running: await it, or interrupt() it first');
    }
    const run = new Run(options);
    const aborted: Stop = { kind: 'aborted', message: 'the signal was aborted' };
    if (signal?.aborted) {
      run.stop(aborted);
      return run.finishUnbegun();
    }
    const onAbort = (): void => this.stop(run, aborted);
    this.run = run;
    try {
      signal?.addEventListener('abort', onAbort, { once: true });
      return await this.perform(run);
    } finally {
      signal?.removeEventListener('abort', onAbort);
      run.close();
      this.run = null;
    }
  }

  interrupt(): void {
    const { run } = this;
    if (!run || this.over) {
      return;
    }
    if (run.hasBegun) {
      this.link.interrupt();
    } else {
      run.stop({ kind: 'interrupted', message: 'interrupted' });
    }
  }

  async clearNamespace(): Promise<void> {
    const link = await this.live();
    try {
      await link.clear();
    } catch (error) {
      if (!link.isEnded) {
        throw error;
      }
      await this.live(); // a worker that replaces this one has an empty namespace anyway
    }
  }

  async dispose(): Promise<void> {
    const { run } = this;
    if (this.over?.code !== 'disposed') {
      this.over = new BrowsergradError('disposed', 'the session has been disposed');
    }
    this.link.terminate(this.over);
    await run?.ended;
  }

  /** Returns the worker once it has started. After a failed start, tries again. */
  async live(): Promise<WorkerLink> {
    for (;;) {
      this.checkUsable();
      if (this.link.isEnded) {
        this.start();
      }
      const { link } = this;
      try {
        await this.boot;
      } catch (error) {
        this.checkUsable();
        if (this.link === link) {
          throw error;
        }
      }
      if (this.link === link && !link.isEnded) {
        return link;
      }
    }
  }

  private checkUsable(): void {
    if (this.over) {
      throw this.over;
    }
  }

  /** Runs the code, unless the run is stopped while it waits for the worker's start. */
  private async perform(run: Run): Promise<ExecResult> {
    const { code, timeoutMs } = run.options;
    let link: WorkerLink | undefined;
    try {
      link = await Promise.race([this.live(), run.cancelled]);
    } catch (error) {
      if (this.over?.code === 'disposed') {
        return run.finish({ kind: 'aborted', message: this.over.message });
      }
      throw error;
    }
    if (!link || run.stopped) {
      return run.finishUnbegun();
    }
    run.begin();
    const late: Stop = { kind: 'timeout', message: `the code ran longer than ${timeoutMs} ms` };
    const timer = timeoutMs === null ? undefined : setTimeout(() => this.stop(run, late), timeoutMs);
    try {
      const { error } = (await link.exec(code, true)) as Pick<ExecResult, 'error'>;
      return run.finishCode(error);
    } catch (error) {
      return this.lost(run, link, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Returns the result of code whose worker did not answer. */
  private lost(run: Run, link: WorkerLink, error: unknown): ExecResult {
    if (this.over?.code === 'disposed') {
      return run.finish({ kind: 'aborted', message: this.over.message });
    }
    if (!link.isEnded) {
      this.restart(); // the worker's state is unknown
    }
    const lost = 'the namespace was lost, files written through fs are put back';
    const { stopped } = run;
    return run.finish(
      stopped
        ? {
            kind: stopped.kind,
            message: `${stopped.message}; it did not answer an interrupt, so its worker was ended: ${lost}`,
          }
        : { kind: 'worker-crash', message: `Python stopped (${errorText(error)}): ${lost}` },
    );
  }

  /** Interrupts the run. If it does not end, its worker is ended. */
  private stop(run: Run, stop: Stop): void {
    run.stop(stop);
    if (run.hasBegun) {
      this.link.interrupt();
      run.hardTimer ??= setTimeout(() => this.restart(), this.canInterrupt ? HARD_STOP_MS : 0);
    }
  }

  /** Does an operation on a file. If the worker ends meanwhile, the next worker does it: a repetition is harmless. */
  private async file(operation: FileOperation): Promise<unknown> {
    for (let tries = 1; ; tries++) {
      const link = await this.live();
      try {
        return await link.file(operation);
      } catch (error) {
        if (!link.isEnded || this.over || tries > 1) {
          throw error;
        }
      }
    }
  }

  /** Starts a worker: `given`, or one from `worker.js`. Never throws; `boot` rejects. */
  private start(given?: Worker): void {
    const { options } = this;
    this.hasBooted = false;
    const link = new WorkerLink({
      worker: given,
      makeWorker: typeof options.worker === 'function' ? options.worker : undefined,
      workerURL: new URL('./worker.js', import.meta.url), // written out, since bundlers look for exactly this expression
      boot: {
        mode: 'session',
        indexURL: options.pyodideIndexURL,
        kernelURL: options.kernelURL,
        interruptible: options.disableInterruptBuffer !== true,
        packages: [...(options.packages ?? [])],
        jsModules: [...(options.jsModules ?? [])],
        cwd: null,
        kernel: null,
      },
      serviceWorkerBase: null,
      onStreams: chunks => chunks.forEach(({ name, text }) => this.run?.text(name, text)),
      onMessage: json => this.run?.event((JSON.parse(json) as { content: SessionEvent }).content),
      onPackageProgress: options.onPackageProgress,
      onCrash: () => this.crashed(link),
    });
    this.link = link;
    this.boot = this.prepare(link, given !== undefined);
    this.boot.catch(() => undefined); // the error is thrown where `boot` is awaited
  }

  /** Waits for the worker, and writes the files that were written through `fs`. */
  private async prepare(link: WorkerLink, isGiven: boolean): Promise<void> {
    try {
      const { interruptMode } = await link.ready;
      this.interruptMode = interruptMode;
      for (const [path, data] of this.files) {
        await link.file({ kind: 'write', path, data });
      }
      this.hasBooted = !link.isEnded;
    } catch (error) {
      if (typeof this.options.worker === 'object' && !isGiven && !this.over) {
        this.over = new BrowsergradError(
          'boot-failed',
          `the Worker given as worker has been ended, and no other could be started in its place (${errorText(error)}): ` +
            'pass a function that makes one each time, worker: () => new Worker(…)',
          { cause: error },
        );
        throw this.over;
      }
      throw error;
    }
  }

  /** Ends the worker and starts the next. */
  private restart(): void {
    this.link.terminate(new BrowsergradError('worker-crash', 'the worker was ended'));
    if (!this.over) {
      this.start();
    }
  }

  private crashed(link: WorkerLink): void {
    if (link === this.link && this.hasBooted && !this.over) {
      this.start();
    }
  }
}
