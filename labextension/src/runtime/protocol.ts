/**
 * The protocol between the page and the worker: typed messages, and one shared control block.
 */

import type { BootAssets, FetchHints } from './boot_assets';

/** Indices into the control block, an `Int32Array`. */
export const enum Control {
  /** Epoch of the request that the pending interrupt is meant for. 0: no interrupt. -1: whatever blocks an idle worker. */
  Interrupt = 0,
  /** Epoch of the running request, 0 when idle. Written by the worker. */
  Epoch = 1,
  /** Futex word: increased and notified for interrupts, input, replies and acknowledgements of output. */
  Wake = 2,
  /** Bytes of output that the page has taken, modulo 2^32. */
  OutputTaken = 3,
  /** 1 when the reply area holds a line of input. */
  InputReady = 4,
  /** Epoch that is interrupted again and again until it ends. */
  Storm = 5,
  /** Id of the call that has been answered. */
  CallAnswered = 6,
  /** Length in bytes of that answer. */
  CallLength = 7,
  /** Epoch that is interrupted because its time limit has passed. */
  TimedOut = 8,
  /** That time limit, in ms. */
  LimitMs = 9,
  /** Not 0 when the worker itself wants Python to ask for signals. */
  Wanted = 10,
  /** Number of words. */
  Length = 16,
}

/** Size of the shared reply area in bytes. Longer answers get a buffer of their own. */
export const REPLY_BYTES = 1 << 20;

/** Id of the call that fetches a long line of input. */
export const INPUT_CALL = 0x7fffffff;

/** Most bytes in an answer through the service worker. The worker fetches more bytes from an address. */
export const ANSWER_BYTES = 120_000;

/** A Jupyter message. Dates are ISO strings; binary buffers are copies. */
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

/** A Jupyter message on its way to Python: its text, made only once, and its binary buffers. */
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
  /** What the page knows about these folders and the line. */
  hints?: FetchHints;
  /** Shared memory that begins with the control block; null where memory cannot be shared. */
  control: WebAssembly.Memory | null;
  reply: SharedArrayBuffer | null;
  interruptible: boolean;
  packages: string[];
  jsModules: JsModule[];
  /** Working directory inside the drive; null if there is no drive. */
  cwd: string | null;
  /** Address from which the site's service worker forwards synchronous requests to the page; null if there is none. */
  channel: { url: string; id: string } | null;
  kernel: { session_id: string; piplite_urls: string[]; disable_pypi: boolean } | null;
  /** Whether to remove from the worker's scope what Deno offers beyond a browser. */
  sealed?: boolean;
  /** Whether to start from Pyodide's files even if there is a memory snapshot. */
  fromFiles?: boolean;
  /** MB that Python's memory may take; undefined for no limit. */
  memoryMB?: number;
  /** Whether the page sends `assets`; else the worker loads them itself. */
  assetsFollow?: boolean;
}

/** How to interrupt. */
export interface InterruptOptions {
  /** The time limit that the cell has passed: it ends with CellTimeoutError. 0: somebody pressed Stop. */
  limitMs?: number;
  /** Whether to repeat the interrupt until the request ends. */
  storm?: boolean;
}

/** Gives a spare Python its session. */
export interface Adoption {
  session_id: string;
  /** Working directory inside the drive. */
  cwd: string | null;
}

/** From the page to the worker. */
export type ToWorker =
  | { type: 'boot'; options: BootOptions }
  | { type: 'assets'; assets: BootAssets | null; problem?: string }
  | { type: 'fetched'; url: string; file: Blob }
  /** Cells will import these modules. */
  | { type: 'expect'; modules: string[] }
  | { type: 'exec'; id: number; epoch: number; code: string; loadImports: boolean }
  | ({ type: 'jupyter'; id: number; epoch: number } & MessageText)
  | ({ type: 'interrupt'; epoch: number } & Required<InterruptOptions>)
  | { type: 'adopt'; id: number; adoption: Adoption }
  | { type: 'input'; value: string }
  /** Bytes of output that the page has taken, modulo 2^32; sent where there is no shared memory. */
  | { type: 'taken'; bytes: number }
  | { type: 'fs'; id: number; operation: FileOperation }
  | { type: 'clear'; id: number }
  /** No request waits: Python may do a part of the work that it has offered. */
  | { type: 'ahead'; id: number; epoch: number }
  /** This is a spare: it may import these modules before a cell does. */
  | { type: 'import-ahead'; id: number; modules: string[] };

export type FileOperation =
  | { kind: 'write'; path: string; data: Uint8Array }
  | { kind: 'read'; path: string }
  /** Reads all files below a folder. */
  | { kind: 'read-all'; path: string };

/** A call that the worker makes, and whose answer it waits for. */
export interface WorkerCall {
  kind: 'drive';
  request: unknown;
}

/** From the worker to the page. */
export type FromWorker =
  | { type: 'alive' }
  /** Assets that the worker has loaded itself, for further kernels of the page. */
  | { type: 'assets'; assets: BootAssets | null; problem?: string }
  /**
   * Asks for a file of the site that Python may need later. The page fetches it, since the worker may block meanwhile: while
   * one reader does not take a file's bytes, a browser makes all others wait for that file for 20 s.
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
  /** `json` holds messages, one in each line. */
  | { type: 'message'; json: string; buffers: ArrayBuffer[]; bytes: number }
  | { type: 'limit'; ms: number }
  /** Python has work to do ahead of need. */
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

/** The answer to a drive request. */
export type DriveAnswer = { ok: true; value: unknown } | { ok: false; errno: string; message: string };
