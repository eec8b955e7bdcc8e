/**
 * What the kernel needs: of the page that hosts it, and of the worker in which Python runs.
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
  /** Settles when Python has started; rejects when it has not. */
  readonly ready: Promise<unknown>;
  /** How running code can be reached. */
  readonly interruptMode: InterruptMode;
  readonly canInterrupt: boolean;
  /** How Python was started; null before it was. */
  readonly startedFrom: BootInfo['from'] | null;
  /** Settles once Python has handled the message and its idle status is out. */
  request(message: JupyterMessage): Promise<void>;
  /** Interrupts the request that runs; nothing happens when idle. */
  interrupt(options?: InterruptOptions): void;
  inputReply(value: string): void;
  /** Does some work ahead of need. @returns whether more is left. */
  getAhead(): Promise<boolean>;
  /** Writes a file of Python's own. */
  write(path: string, data: Uint8Array): Promise<void>;
  dispose(): void;
}

/** What a worker tells its kernel. */
export type ClientCallbacks = Pick<
  KernelClientOptions,
  'onMessage' | 'onProgress' | 'onPackageProgress' | 'onLog' | 'onAhead' | 'onCrash' | 'onLimit'
>;

export interface BrowsergradKernelOptions extends IKernel.IOptions {
  /** Makes a worker; the runtime is loaded by its URL, so that page and kernel share one copy. */
  createClient(options: ClientCallbacks): Promise<KernelWorker>;
  onProgress?(progress: BootProgress): void;
  onPackageProgress?(progress: PackageProgress): void;
  onLog?(level: 'info' | 'warning' | 'error', text: string): void;
  /** Boot failed; the message says what, where, and how to mend it. */
  onBootFailed?(message: string): void;
  /** The kernel restarted itself; variables are lost. */
  onRestarted?(reason: string): void;
  /** Python has booted; the page has time for other things. */
  onBooted?(): void;
  /**
   * The code does not answer to Stop, or the page has no way to reach it; `restart` ends it at once,
   * and its variables with it. The result is called when the question is of no interest any more.
   */
  onUnresponsive?(restart: () => void): () => void;
  /** The request `msgId` has ended while its prompt for input was open. */
  onPromptAbandoned?(msgId: string): void;
  /** Ms a cell may run, null for no limit; asked when one starts. */
  limitMs?(): number | null;
  /** Asked before each cell, which runs only when it is admitted and its Python prepared. */
  gate?: KernelGate;
}
