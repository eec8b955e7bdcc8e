/**
 * One exec of a session: what it has reported so far, and how it was stopped.
 */
import type { ExecError, ExecResult } from './api';
import type { Artifact, Assertion } from './events';
import type { CheckedExec } from './options';

/** What Python sends to the page beside text. */
export type SessionEvent = { type: 'assertion'; event: Assertion } | { type: 'artifact'; event: Artifact };

/** Who stopped a run, and why. */
export interface Stop {
  kind: 'timeout' | 'aborted' | 'interrupted';
  message: string;
}

/** Calls a callback of the page. An error in it is reported as the page's own, and later events still come. */
function tell<T>(callback: ((value: T) => void) | undefined, value: T): void {
  try {
    callback?.(value);
  } catch (error) {
    if (typeof reportError === 'function') {
      reportError(error);
    } else {
      queueMicrotask(() => {
        throw error; // outside of browsers this reports the error
      });
    }
  }
}

export class Run {
  /** The first request to stop. */
  stopped: Stop | null = null;
  /** Settles when the run was stopped before its code began. */
  readonly cancelled: Promise<undefined>;
  /** Settles when the run has ended. */
  readonly ended: Promise<void>;
  /** Ends the worker if the code does not end by itself. */
  hardTimer: ReturnType<typeof setTimeout> | undefined;
  /** `performance.now()` when the code began; null before. */
  private began: number | null = null;
  private cancel!: () => void;
  private end!: () => void;
  private readonly result = {
    stdout: '',
    stderr: '',
    assertions: [] as Assertion[],
    artifacts: [] as Artifact[],
  };

  constructor(readonly options: CheckedExec) {
    this.cancelled = new Promise(resolve => {
      this.cancel = () => resolve(undefined);
    });
    this.ended = new Promise(resolve => {
      this.end = resolve;
    });
  }

  get hasBegun(): boolean {
    return this.began !== null;
  }

  /** The code begins now. */
  begin(): void {
    this.began = performance.now();
  }

  /** Notes who stops the run. Code that has not begun does not run. Code that has begun is stopped by the session. */
  stop(stop: Stop): void {
    this.stopped ??= stop;
    if (!this.hasBegun) {
      this.cancel();
    }
  }

  text(name: 'stdout' | 'stderr', text: string): void {
    this.result[name] += text;
    const { onStdout, onStderr } = this.options;
    tell(name === 'stdout' ? onStdout : onStderr, text);
  }

  event({ type, event }: SessionEvent): void {
    if (type === 'assertion') {
      this.result.assertions.push(event);
      tell(this.options.onAssertion, event);
    } else {
      this.result.artifacts.push(event);
      tell(this.options.onArtifact, event);
    }
  }

  /** Returns the result. */
  finish(error: ExecError | null): ExecResult {
    const durationMs = this.began === null ? 0 : performance.now() - this.began;
    return { ok: error === null, ...this.result, error, durationMs };
  }

  /** Returns the result that Python reports. An interrupt names who asked for it. */
  finishCode(error: ExecError | null): ExecResult {
    return this.finish(error?.kind === 'interrupted' && this.stopped ? { ...error, ...this.stopped } : error);
  }

  /** Returns the result of code that was stopped before it began. */
  finishUnbegun(): ExecResult {
    const { kind, message } = this.stopped!;
    return this.finish({ kind, message: `${message} before the code started` });
  }

  /** The run is over. */
  close(): void {
    clearTimeout(this.hardTimer);
    this.end();
  }
}
