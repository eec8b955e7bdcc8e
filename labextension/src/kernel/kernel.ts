/**
 * The kernel JupyterLite talks to: relays whole messages to a worker and back. It knows nothing of
 * Pyodide. Whatever happens to the worker, every request gets its reply and its idle status.
 */
import type { KernelMessage } from '@jupyterlab/services';
import type { IKernel } from '@jupyterlite/services';
import { Signal, type ISignal } from '@lumino/signaling';

import type { BootProgress, JupyterMessage, PackageProgress } from '../runtime/protocol';
import type { KernelClient, KernelClientOptions } from '../runtime/kernel_client';

/** What the kernel needs of its page. */
export interface BrowsergradKernelOptions extends IKernel.IOptions {
  /** Makes a worker; the runtime is loaded by its URL, so that page and kernel share one copy. */
  createClient(options: ClientCallbacks): Promise<KernelClient>;
  onProgress?(progress: BootProgress): void;
  onPackageProgress?(progress: PackageProgress): void;
  onLog?(level: 'info' | 'warning' | 'error', text: string): void;
  /** Boot failed; the message says what, where, and how to mend it. */
  onBootFailed?(message: string): void;
  /** The kernel restarted itself; variables are lost. */
  onRestarted?(reason: string): void;
}

export type ClientCallbacks = Pick<
  KernelClientOptions,
  'onMessage' | 'onProgress' | 'onPackageProgress' | 'onLog' | 'onCrash'
>;

/** A request on its way: what of its answer has gone out. */
interface Open {
  message: KernelMessage.IMessage;
  busy: boolean;
  replied: boolean;
  idle: boolean;
}

const HAS_REPLY = /_request$/;

export class BrowsergradKernel implements IKernel {
  readonly id: string;
  readonly name: string;
  readonly location: string;
  private readonly disposedSignal = new Signal<this, void>(this);
  private readonly open = new Map<string, Open>();
  private client: Promise<KernelClient>;
  private started: KernelClient | null = null;
  private disposedFlag = false;
  private executionCount = 0;

  constructor(private readonly options: BrowsergradKernelOptions) {
    this.id = options.id;
    this.name = options.name;
    this.location = options.location;
    this.client = this.start();
  }

  /** Resolves when messages can be handled; also when boot failed, for then they get that answer. */
  get ready(): Promise<void> {
    return this.client.then(
      () => undefined,
      () => undefined,
    );
  }

  get isDisposed(): boolean {
    return this.disposedFlag;
  }

  get disposed(): ISignal<this, void> {
    return this.disposedSignal;
  }

  /** How a running cell can be reached. */
  get interruptMode(): string {
    return this.started?.interruptMode ?? 'none';
  }

  get canInterrupt(): boolean {
    return this.started?.canInterrupt ?? false;
  }

  dispose(): void {
    if (this.disposedFlag) {
      return;
    }
    this.disposedFlag = true;
    this.started?.dispose();
    void this.client.then(client => client.dispose()).catch(() => undefined);
    this.disposedSignal.emit();
    Signal.clearData(this);
  }

  /** Interrupts the request that runs now; nothing happens when idle. */
  interrupt(): void {
    this.started?.interrupt();
  }

  async handleMessage(message: KernelMessage.IMessage): Promise<void> {
    const type = message.header.msg_type as string;
    if (type === 'input_reply') {
      const { value } = message.content as { value?: unknown };
      this.started?.inputReply(typeof value === 'string' ? value : '');
      return;
    }
    if (type === 'interrupt_request') {
      this.interrupt();
    }
    const entry: Open = { message, busy: false, replied: false, idle: false };
    this.open.set(message.header.msg_id, entry);
    try {
      const client = await this.client;
      await client.request(toWorker(message));
    } catch (error) {
      this.answerFailed(entry, error);
    } finally {
      this.close(entry);
    }
  }

  private async start(): Promise<KernelClient> {
    const client = await this.options.createClient({
      onMessage: message => this.relay(message),
      onProgress: this.options.onProgress,
      onPackageProgress: this.options.onPackageProgress,
      onLog: this.options.onLog,
      onCrash: error => {
        if (error.code === 'worker-crash') {
          this.restart(error.message);
        }
      },
    });
    try {
      await client.ready;
    } catch (error) {
      if (!this.disposedFlag) {
        this.options.onBootFailed?.(textOf(error));
      }
      throw error;
    }
    if (this.disposedFlag) {
      client.dispose();
    }
    this.started = client;
    return client;
  }

  /** The worker is gone: a fresh one boots in its place, under the same kernel id. */
  private restart(reason: string): void {
    if (this.disposedFlag) {
      return;
    }
    this.started = null;
    this.executionCount = 0;
    this.client = this.start();
    this.client.catch(() => undefined); // answered per message
    // After the failed request has been answered: `restarting` makes front ends drop what is pending.
    setTimeout(() => {
      if (!this.disposedFlag) {
        this.publish('iopub', 'status', { execution_state: 'restarting' }, {});
        this.options.onRestarted?.(reason);
      }
    }, 0);
  }

  private relay(message: JupyterMessage): void {
    if (this.disposedFlag) {
      return;
    }
    const entry = this.open.get(message.parent_header.msg_id ?? '');
    const type = message.header.msg_type;
    if (entry) {
      if (type === 'status') {
        const { execution_state: state } = message.content;
        entry.busy ||= state === 'busy';
        entry.idle ||= state === 'idle';
      } else if (message.channel === 'shell' || message.channel === 'control') {
        entry.replied = true;
      }
    }
    if (typeof message.content.execution_count === 'number') {
      this.executionCount = message.content.execution_count;
    }
    this.options.sendMessage(message as unknown as KernelMessage.IMessage);
  }

  /** The answer to a request whose worker is gone. */
  private answerFailed(entry: Open, error: unknown): void {
    const { header, channel } = entry.message;
    const crashed = (error as { code?: string }).code === 'worker-crash';
    const content = {
      status: 'error',
      ename: crashed ? 'KernelDied' : 'KernelError',
      evalue: crashed
        ? `The Python kernel stopped and was restarted; its variables are lost. Cause: ${textOf(error)}`
        : textOf(error),
      traceback: [] as string[],
    };
    content.traceback = [`${content.ename}: ${content.evalue}`];
    if (!entry.busy) {
      this.publish('iopub', 'status', { execution_state: 'busy' }, header);
      entry.busy = true;
    }
    if (entry.replied || !HAS_REPLY.test(header.msg_type)) {
      return;
    }
    if ((header.msg_type as string) === 'execute_request') {
      const { ename, evalue, traceback } = content;
      this.publish('iopub', 'error', { ename, evalue, traceback }, header);
    }
    this.publish(
      channel,
      header.msg_type.replace(HAS_REPLY, '_reply'),
      { ...content, execution_count: this.executionCount, user_expressions: {}, payload: [] },
      header,
    );
    entry.replied = true;
  }

  private close(entry: Open): void {
    this.open.delete(entry.message.header.msg_id);
    if (!entry.idle) {
      this.publish('iopub', 'status', { execution_state: 'idle' }, entry.message.header);
    }
  }

  private publish(channel: string, type: string, content: object, parent: object): void {
    if (this.disposedFlag) {
      return;
    }
    const { session = this.id } = parent as { session?: string };
    this.options.sendMessage({
      channel,
      header: {
        msg_id: crypto.randomUUID(),
        msg_type: type,
        session,
        username: 'browsergrad',
        date: new Date().toISOString(),
        version: '5.4',
      },
      parent_header: parent,
      metadata: {},
      content,
      buffers: [],
    } as unknown as KernelMessage.IMessage);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A message that can be posted: plain, and with buffers of its own. */
function toWorker(message: KernelMessage.IMessage): JupyterMessage {
  const { channel, header, parent_header, metadata, content, buffers = [] } = message;
  const plain = JSON.stringify({ channel, header, parent_header, metadata, content });
  return { ...(JSON.parse(plain) as JupyterMessage), buffers: buffers.map(copyBuffer) };
}

function copyBuffer(buffer: ArrayBuffer | ArrayBufferView): ArrayBuffer {
  return ArrayBuffer.isView(buffer)
    ? (buffer.buffer as ArrayBuffer).slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength)
    : buffer.slice(0);
}
