/**
 * What the kernel needs from its page, and from the worker in which Python runs.
 */
import type { IKernel } from '@jupyterlite/services';

import type { KernelClientOptions } from '../runtime/kernel_client';
import type {
  BootInfo,
  BootProgress,
  InterruptMode,
  InterruptOptions,
  JupyterMessage,
  PackageProgress,
} from '../runtime/protocol';
import type { KernelGate } from './admission';

/** A worker with Python in it; `KernelClient` is one. */
export interface KernelWorker {
  /** Settles when Python has started; rejects if it could not start. */
  readonly ready: Promise<unknown>;
  /** How running code can be interrupted. */
  readonly interruptMode: InterruptMode;
  readonly canInterrupt: boolean;
  /** Whether Python sees the page's files. */
  readonly hasDrive: boolean;
  /** How Python was started; null before it has started. */
  readonly startedFrom: BootInfo['from'] | null;
  /** Settles when Python has handled the message and sent its idle status. */
  request(message: JupyterMessage): Promise<void>;
  /** Interrupts the running request. Does nothing when idle. */
  interrupt(options?: InterruptOptions): void;
  inputReply(value: string): void;
  /** Does a part of the work ahead of need. @returns whether more is left. */
  getAhead(): Promise<boolean>;
  /** Fetches and compiles the site's packages of these modules. Requests do not wait for it. */
  expect(modules: string[]): void;
  /** Writes a file of Python's own file system. */
  write(path: string, data: Uint8Array): Promise<void>;
  /** Reads the files in Python's home folder, by their paths in it. */
  homeFiles(): Promise<Record<string, Uint8Array>>;
  dispose(): void;
}

/** What a worker tells its kernel. */
export type ClientCallbacks = Pick<
  KernelClientOptions,
  'onMessage' | 'onProgress' | 'onPackageProgress' | 'onLog' | 'onAhead' | 'onCrash' | 'onLimit'
>;

export interface BrowsergradKernelOptions extends IKernel.IOptions {
  /** Makes a worker. The runtime is loaded by its URL, so that page and kernel share one copy. */
  createClient(options: ClientCallbacks): Promise<KernelWorker>;
  /**
   * Makes a worker in place of `old`, in which no cell has run, if one has imported ahead what the notebook imports. `old` then
   * belongs to the page. @returns null if there is none.
   */
  exchangeClient?(options: ClientCallbacks, old: KernelWorker): Promise<KernelWorker | null>;
  /** Cells will import these modules. `isWanted` tells whether no cell has run yet. */
  onExpected?(modules: string[], isWanted: () => boolean): void;
  onProgress?(progress: BootProgress): void;
  onPackageProgress?(progress: PackageProgress): void;
  onLog?(level: 'info' | 'warning' | 'error', text: string): void;
  /** Python did not start. The message says what failed, where, and how to repair it. */
  onBootFailed?(message: string): void;
  /** The kernel has restarted by itself; variables are lost. */
  onRestarted?(reason: string): void;
  /** Python has started; the page has time for other things. */
  onBooted?(): void;
  /**
   * The code does not respond to Stop, or nothing can interrupt it. `restart` ends it immediately, and variables are lost. The
   * returned function is called when the question is out of date.
   */
  onUnresponsive?(restart: () => void): () => void;
  /** The request `msgId` is about to show a prompt for input. */
  onPrompt?(msgId: string, prompt: string): void;
  /** The request `msgId` has ended while its prompt for input was open. */
  onPromptAbandoned?(msgId: string): void;
  /** Called when a cell starts. @returns the ms that it may run, null for no limit. */
  limitMs?(): number | null;
  /** Called before each cell. The cell runs only after it has been admitted and Python has been prepared for it. */
  gate?: KernelGate;
}
