/**
 * What the public runtime takes and gives. Adding an optional field is a minor change, anything else a major one.
 */
import type { Artifact, Assertion, AssertionError, AssertionFail, AssertionPass } from './events';
import type { JsModule, PackageProgress } from './protocol';

/** Options of `createSession`. */
export interface SessionOptions {
  /** Folder that holds `pyodide.mjs`; same origin as the page. Required, there is no default. */
  pyodideIndexURL: string;
  /**
   * Folder of the kernel's packs. Default: `../kernel/` as seen from this module, where that is `runtime/index.js`; in a
   * bundle, `../kernel/` as seen from `pyodideIndexURL`.
   */
  kernelURL?: string;
  /** Packages of the distribution to load before the session is ready. */
  packages?: readonly string[];
  /** Called for each package as it is loaded. */
  onPackageProgress?(progress: PackageProgress): void;
  /** True to run without any way to interrupt cooperatively. */
  disableInterruptBuffer?: boolean;
  /**
   * What to use instead of starting the `worker.js` beside this module: a function that makes a module worker from that
   * script, called for each start. Or one such worker: it serves the first start only, and further ones after a hard stop
   * or a crash use the `worker.js` beside this module again; where that can't be had, the session is over.
   */
  worker?: Worker | (() => Worker);
  /** JavaScript modules Python can import; `exportName` picks one export instead of all. */
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
  /** Python's, of the user's lines only. */
  traceback?: string;
}

/** Options of {@link Session.exec}. */
export interface ExecOptions {
  /** Python; the common indentation of a template literal is cut. */
  code: string;
  /**
   * Ms after which the code is interrupted, and 500 ms later ended with its worker. No limit: 0, null, Infinity, and
   * whatever is longer than 2,147,483,647 ms, the longest time a browser can wait.
   */
  timeoutMs?: number | null;
  /** The same at an abort. An already aborted signal runs nothing. */
  signal?: AbortSignal;
  onStdout?(text: string): void;
  onStderr?(text: string): void;
  onAssertion?(assertion: Assertion): void;
  onArtifact?(artifact: Artifact): void;
}

/** What came of an exec. */
export interface ExecResult {
  ok: boolean;
  stdout: string;
  stderr: string;
  /** In order of arrival. */
  assertions: Assertion[];
  artifacts: Artifact[];
  /** Null when `ok`. */
  error: ExecError | null;
  /** How long the code ran, not what it waited before for a worker that was starting again; 0 if it never ran. */
  durationMs: number;
}

/**
 * Reads and writes of Python's file system. Paths are absolute or relative to `/home/pyodide`. While the session starts
 * again after a hard stop, they wait for that.
 *
 * @throws BrowsergradError `file`, naming path and reason; `bad-option`, `disposed`, `boot-failed`.
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

  /** Whether running code can be interrupted and keeps its names. */
  readonly canInterrupt: boolean;

  /**
   * Runs code in the session's namespace.
   *
   * @throws BrowsergradError `bad-option`, before anything else happens; `busy` while another exec runs; `disposed`;
   * `boot-failed` when Python had to be started again and could not be. What the code does never throws: see
   * `ExecResult.error`.
   */
  exec(options: ExecOptions): Promise<ExecResult>;

  /**
   * Interrupts the running exec, or keeps one that waits for Python's start from running; nothing happens when idle.
   */
  interrupt(): void;

  /** Forgets all names the code has made; loaded packages stay. */
  clearNamespace(): Promise<void>;

  /**
   * Ends the worker. Everything pending settles, everything later rejects. May be called twice.
   *
   * @returns once the exec that ran has settled.
   */
  dispose(): Promise<void>;
}
