/**
 * The public types of the runtime. A new optional field is a minor change, anything else a major one.
 */
import type { Artifact, Assertion, AssertionError, AssertionFail, AssertionPass } from './events';
import type { JsModule, PackageProgress } from './protocol';

/** Options of `createSession`. */
export interface SessionOptions {
  /** Address of the folder that holds `pyodide.mjs`, of the same origin as the page. Required; there is no default. */
  pyodideIndexURL: string;
  /**
   * Folder of the kernel's packs. Default: `../kernel/`, relative to this module if it is `runtime/index.js`; in a bundle,
   * relative to `pyodideIndexURL`.
   */
  kernelURL?: string;
  /** Packages of the distribution to load before the session is ready. */
  packages?: readonly string[];
  /** Called when the status of a package changes. */
  onPackageProgress?(progress: PackageProgress): void;
  /** If true, running code cannot be interrupted; it can only be ended with its worker. */
  disableInterruptBuffer?: boolean;
  /**
   * Replaces the `worker.js` beside this module. Either a function that makes a module worker from that script; it is called
   * for each start. Or one such worker, for the first start only: after a hard stop or a crash, the session starts the
   * `worker.js` beside this module. If that cannot be loaded, the session is over.
   */
  worker?: Worker | (() => Worker);
  /** JavaScript modules that Python can import. `exportName` selects one export instead of the whole module. */
  jsModules?: readonly JsModule[];
}

/** Another name of {@link PackageProgress}. */
export type PackageProgressEvent = PackageProgress;

/** Another name of {@link AssertionPass}. */
export type PassAssertion = AssertionPass;
/** Another name of {@link AssertionFail}. */
export type FailAssertion = AssertionFail;
/** Another name of {@link AssertionError}. */
export type ErrorAssertion = AssertionError;

/** Why an exec did not succeed. */
export type ExecErrorKind = 'syntax' | 'runtime' | 'timeout' | 'aborted' | 'interrupted' | 'worker-crash';

/** How an exec failed. */
export interface ExecError {
  kind: ExecErrorKind;
  message: string;
  /** Python's traceback, with only the user's lines. */
  traceback?: string;
}

/** Options of {@link Session.exec}. */
export interface ExecOptions {
  /** Python code. The common indentation of its lines is removed, as a template literal has it. */
  code: string;
  /**
   * Ms after which the code is interrupted. If it still runs 500 ms later, its worker is ended. 0, null, Infinity and anything
   * above 2,147,483,647 ms, the longest time that a browser's timer can wait, mean no limit.
   */
  timeoutMs?: number | null;
  /** An abort has the same effect as `timeoutMs`. If the signal is aborted already, nothing runs. */
  signal?: AbortSignal;
  onStdout?(text: string): void;
  onStderr?(text: string): void;
  onAssertion?(assertion: Assertion): void;
  onArtifact?(artifact: Artifact): void;
}

/** The outcome of an exec. */
export interface ExecResult {
  ok: boolean;
  stdout: string;
  stderr: string;
  /** In order of arrival. */
  assertions: Assertion[];
  artifacts: Artifact[];
  /** Null when `ok`. */
  error: ExecError | null;
  /** How long the code ran, without any wait for a worker that was starting again. 0 if the code never ran. */
  durationMs: number;
}

/**
 * Access to Python's file system. Paths are absolute, or relative to `/home/pyodide`. While the session starts again after a
 * hard stop, all operations wait.
 *
 * @throws BrowsergradError `file`, with path and reason; `bad-option`, `disposed`, `boot-failed`.
 */
export interface SessionFS {
  /** Makes missing parent folders. */
  write(path: string, data: string | Uint8Array): Promise<void>;
  /** The file as UTF-8 text. */
  read(path: string): Promise<string>;
  readBytes(path: string): Promise<Uint8Array>;
}

/** Another name of {@link SessionFS}. */
export type SessionFiles = SessionFS;

/** A running Python, made by `createSession`. */
export interface Session {
  readonly fs: SessionFS;

  /** Whether running code can be interrupted without losing its names. */
  readonly canInterrupt: boolean;

  /**
   * Runs code in the session's namespace.
   *
   * @throws BrowsergradError `bad-option`, before anything else happens; `busy` while another exec runs; `disposed`;
   * `boot-failed` if Python had to start again and could not. Errors of the code itself are never thrown: see
   * `ExecResult.error`.
   */
  exec(options: ExecOptions): Promise<ExecResult>;

  /**
   * Interrupts the running exec. An exec that still waits for Python's start does not run. Does nothing when idle.
   */
  interrupt(): void;

  /** Deletes all names that the code has defined. Loaded packages stay. */
  clearNamespace(): Promise<void>;

  /**
   * Ends the worker. Everything pending settles, and every later call rejects. May be called again.
   *
   * @returns a promise that settles after the running exec has.
   */
  dispose(): Promise<void>;
}
