/**
 * What crosses between the page and the worker: typed messages and one shared control block.
 */

import type { BootAssets } from './boot_assets';

/** Indices into the control block, an `Int32Array`. */
export const enum Control {
  /** Epoch of the request the pending interrupt is meant for; 0 none, -1 whatever blocks an idle worker. */
  Interrupt = 0,
  /** Epoch running now, 0 when idle. Written by the worker. */
  Epoch = 1,
  /** Futex word: bumped and notified for interrupts, input, replies and output acknowledgements. */
  Wake = 2,
  /** Bytes of output the page has taken, modulo 2^32. */
  OutputTaken = 3,
  /** 1 when an input reply lies in the reply area. */
  InputReady = 4,
  /** Epoch that is interrupted again and again until it ends. */
  Storm = 5,
  /** Id of the call that has been answered. */
  CallAnswered = 6,
  /** Length in bytes of that answer. */
  CallLength = 7,
  /** Epoch whose interrupt means that its time is over. */
  TimedOut = 8,
  /** The limit it has passed, ms. */
  LimitMs = 9,
  /** Not 0 when the worker itself wants Python to ask for signals. */
  Wanted = 10,
  /** Number of words. */
  Length = 16,
}

/** Bytes of the shared reply area; longer answers are handed over in a buffer of their own. */
export const REPLY_BYTES = 1 << 20;

/** Number of the call that fetches a long line of input. */
export const INPUT_CALL = 0x7fffffff;

/** Most bytes an answer through the service worker carries; more of them wait at an address. */
export const ANSWER_BYTES = 120_000;

/** A Jupyter message; dates are ISO strings, binary buffers are copied. */
export interface JupyterMessage {
  channel: 'shell' | 'control' | 'iopub' | 'stdin';
  header: {
    msg_id: string;
    msg_type: string;
    session: string;
    username: string;
    date: string;
    version: string;
  };
  parent_header: Partial<JupyterMessage['header']>;
  metadata: Record<string, unknown>;
  content: Record<string, unknown>;
  buffers?: ArrayBuffer[];
}

/** A Jupyter message on its way to Python: text, made once, and its binary buffers. */
export interface MessageText {
  msg_type: string;
  /** Everything but the buffers, as JSON. */
  json: string;
  buffers: ArrayBuffer[];
}

export interface BootProgress {
  stage: 'runtime' | 'packages' | 'kernel' | 'ready';
  message: string;
  /** 0 to 1. */
  fraction: number;
}

export interface PackageProgress {
  package: string;
  status: 'loading' | 'loaded' | 'failed';
  message?: string;
}

/** How a waiting or running Python can be reached. */
export type InterruptMode = 'shared-memory' | 'stack-switching' | 'service-worker' | 'none';

export interface BootInfo {
  pythonVersion: string;
  pyodideVersion: string;
  interruptMode: InterruptMode;
  /** How Python was started: from the memory snapshot, or from its files. */
  from: 'snapshot' | 'files';
}

export interface JsModule {
  name: string;
  importURL: string;
  exportName?: string;
}

export interface BootOptions {
  mode: 'session' | 'kernel';
  indexURL: string;
  kernelURL: string;
  /** Holds the control block at its beginning; shared. */
  control: WebAssembly.Memory | null;
  reply: SharedArrayBuffer | null;
  interruptible: boolean;
  packages: string[];
  jsModules: JsModule[];
  /** Working directory inside the drive, or null where there is no drive. */
  cwd: string | null;
  /** Where the page's service worker forwards synchronous requests, or null. */
  channel: { url: string; id: string } | null;
  kernel: { session_id: string; piplite_urls: string[]; disable_pypi: boolean } | null;
  /** Whether the worker's scope loses what reaches beyond it: outside of browsers. */
  sealed?: boolean;
  /** Whether the memory snapshot is left alone. */
  fromFiles?: boolean;
  /** Whether the page sends `assets`; else the worker loads them itself. */
  assetsFollow?: boolean;
}

/** How to interrupt. */
export interface InterruptOptions {
  /** The cell ran longer than this: it ends with CellTimeoutError. 0: somebody pressed Stop. */
  limitMs?: number;
  /** Again and again, until the request ends. */
  storm?: boolean;
}

/** What makes a spare worker somebody's kernel. */
export interface Adoption {
  session_id: string;
  /** Working directory inside the drive. */
  cwd: string | null;
}

/** From the page to the worker. */
export type ToWorker =
  | { type: 'boot'; options: BootOptions }
  | { type: 'assets'; assets: BootAssets | null; problem?: string }
  | { type: 'fetched'; url: string; bytes: Uint8Array }
  | { type: 'exec'; id: number; epoch: number; code: string; loadImports: boolean }
  | ({ type: 'jupyter'; id: number; epoch: number } & MessageText)
  | ({ type: 'interrupt'; epoch: number } & Required<InterruptOptions>)
  | { type: 'adopt'; id: number; adoption: Adoption }
  | { type: 'input'; value: string }
  /** Bytes of output the page has done with so far, modulo 2^32, where there is no shared memory. */
  | { type: 'taken'; bytes: number }
  | { type: 'fs'; id: number; operation: FileOperation }
  | { type: 'clear'; id: number }
  /** Nothing is asked: some of what Python offered to do ahead of need may be done. */
  | { type: 'ahead'; id: number; epoch: number };

export type FileOperation = { kind: 'write'; path: string; data: Uint8Array } | { kind: 'read'; path: string };

/** A call the worker makes and waits for. */
export interface WorkerCall {
  kind: 'drive';
  request: unknown;
}

/** From the worker to the page. */
export type FromWorker =
  | { type: 'alive' }
  /** What the worker has loaded itself, for further kernels of the page. */
  | { type: 'assets'; assets: BootAssets | null; problem?: string }
  /**
   * Wants a file of the site that Python may need later. The worker may block while it is on its way, and a browser
   * lets nobody else have a file for 20 s whose bytes one does not take.
   */
  | { type: 'fetch'; url: string }
  | { type: 'booted'; info: BootInfo }
  | { type: 'boot-failed'; message: string }
  | { type: 'progress'; progress: BootProgress }
  | { type: 'package'; progress: PackageProgress }
  | { type: 'log'; level: 'info' | 'warning' | 'error'; text: string }
  | { type: 'done'; id: number; value: unknown }
  | { type: 'failed'; id: number; message: string; errno?: string }
  | { type: 'streams'; chunks: StreamChunk[]; bytes: number }
  /** `json`: messages, one a line. */
  | { type: 'message'; json: string; buffers: ArrayBuffer[]; bytes: number }
  | { type: 'limit'; ms: number }
  /** There is something to do ahead of need. */
  | { type: 'ahead' }
  | { type: 'call'; id: number; call: WorkerCall }
  | { type: 'upload'; id: string; data: Uint8Array }
  | { type: 'call-large'; id: number; buffer: SharedArrayBuffer }
  | { type: 'fatal'; message: string };

export interface StreamChunk {
  name: 'stdout' | 'stderr';
  text: string;
  /** JSON of the parent header; `{}` in a session. */
  parent: string;
}

/** The envelope of an answered drive request. */
export type DriveAnswer = { ok: true; value: unknown } | { ok: false; errno: string; message: string };
