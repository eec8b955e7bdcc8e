/**
 * The kernel JupyterLite talks to: relays whole messages to a worker and back. It knows nothing of
 * Pyodide. Whatever happens to the worker, every request gets its reply and its idle status.
 *
 * It keeps its own queue and takes every message at once: what waits in JupyterLite's queue is lost,
 * without an answer, at the first cell that fails.
 */
import type { KernelMessage } from '@jupyterlab/services';
import type { IKernel } from '@jupyterlite/services';
import { Signal, type ISignal } from '@lumino/signaling';

import type { BootInfo, BootProgress, InterruptMode, JupyterMessage, PackageProgress } from '../runtime/protocol';
import type { KernelClient, KernelClientOptions } from '../runtime/kernel_client';
import type { KernelGate } from './admission';
import { Ahead } from './ahead';

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

/** Ms after Stop from which code that still runs counts as not responding. */
const UNRESPONSIVE_MS = 1000;
/** Ms after a limit until the worker is ended: a first traceback may have to fetch what it needs of the standard library. */
const LIMIT_END_MS = 3000;
/** Ms after a limit from which the interrupt is repeated until the cell ends. */
const INSIST_MS = 250;
/** Ms after which a completion answers with what it has found: nobody waits longer for one. */
const COMPLETION_MS = 1500;
/** The same where a cell waits behind it. */
const HASTY_COMPLETION_MS = 100;

export type ClientCallbacks = Pick<
  KernelClientOptions,
  'onMessage' | 'onProgress' | 'onPackageProgress' | 'onLog' | 'onAhead' | 'onCrash' | 'onLimit'
>;

/** A message on its way: what of its answer has gone out. */
interface Open {
  message: KernelMessage.IMessage;
  busy: boolean;
  replied: boolean;
  idle: boolean;
  /** The id of the `input_request` it waits on; '' for none. */
  prompt: string;
  /** It is not to run any more; answered so when its turn comes. */
  dropped: boolean;
  /** The answer is complete; what else becomes of the request is of no interest. */
  closed: boolean;
  /** Why the host ends it: shown in place of the interrupt that does it. */
  ended?: { ename: string; evalue: string };
}

const HAS_REPLY = /_request$/;

export class BrowsergradKernel implements IKernel {
  readonly id: string;
  readonly name: string;
  readonly location: string;
  /** Messages are taken from the start on; they wait in the kernel's own queue. */
  readonly ready = Promise.resolve();
  private readonly disposedSignal = new Signal<this, void>(this);
  private readonly bootedSignal = new Signal<this, void>(this);
  /** Every message that has no complete answer, by `msg_id`. */
  private readonly open = new Map<string, Open>();
  private queue: Open[] = [];
  /** The message at work, or waiting for Python to start. */
  private current: Open | null = null;
  /** Settles with the boot of the present worker. */
  private boot!: Promise<KernelClient>;
  /** The present worker, from its creation on. */
  private client: KernelClient | null = null;
  private hasBooted = false;
  /** Counts workers: callbacks of an earlier one are dropped. */
  private generation = 0;
  private disposedFlag = false;
  private executionCount = 0;
  /** What has to happen while the message at work is still at work. */
  private readonly timers: ReturnType<typeof setTimeout>[] = [];
  /** Ends the wait of a cell that is not admitted yet. */
  private waiting: AbortController | null = null;
  /** What the worker does while nothing is asked. */
  private readonly ahead = new Ahead();
  /** Takes back what the user has been asked about it. */
  private withdraw: (() => void) | null = null;
  /** JupyterLite delivers only what carries the session of one of its clients. */
  private readonly sessions = new Set<string>();
  private lastSession = '';

  constructor(private readonly options: BrowsergradKernelOptions) {
    this.id = options.id;
    this.name = options.name;
    this.location = options.location;
    this.start();
  }

  get isDisposed(): boolean {
    return this.disposedFlag;
  }

  get disposed(): ISignal<this, void> {
    return this.disposedSignal;
  }

  /** Emitted when a worker has booted. */
  get booted(): ISignal<this, void> {
    return this.bootedSignal;
  }

  /** How a running cell can be reached. */
  get interruptMode(): InterruptMode {
    return this.client?.interruptMode ?? 'none';
  }

  /** How the present worker's Python was started; null before it was. */
  get startedFrom(): BootInfo['from'] | null {
    return this.client?.startedFrom ?? null;
  }

  get canInterrupt(): boolean {
    return this.client?.canInterrupt ?? false;
  }

  /** `msg_id` of the request at work; '' when idle. */
  get atWork(): string {
    return this.current?.message.header.msg_id ?? '';
  }

  /** Ends the worker; whatever is open is answered first. */
  dispose(): void {
    if (this.disposedFlag) {
      return;
    }
    this.generation++;
    this.waiting?.abort();
    this.failOpen('The kernel was shut down.');
    this.disposedFlag = true;
    this.client?.dispose();
    this.ahead.drop();
    this.disposedSignal.emit();
    Signal.clearData(this);
  }

  /** Interrupts what runs now and drops the cells that wait; nothing happens when idle. */
  interrupt(): void {
    this.dropQueued();
    this.waiting?.abort();
    if (!this.hasBooted) {
      // Nothing runs: cells that wait for Python to start are answered at once.
      [...this.open.values()].filter(isCell).forEach(entry => this.abort(entry));
    } else if (this.current) {
      const askAfter = this.canInterrupt ? UNRESPONSIVE_MS : 0;
      this.client?.interrupt();
      this.whileAtWork(askAfter, entry => {
        this.withdraw ??= this.options.onUnresponsive?.(() => this.stopHard(entry)) ?? null;
      });
    }
  }

  /** Ends the worker of a message that does not answer; whatever waits behind it is dropped. */
  private stopHard(
    entry: Open,
    ename = 'KernelRestarted',
    evalue = 'The code did not respond to Stop. The kernel was restarted; its variables are lost.',
  ): void {
    if (this.current !== entry || entry.closed) {
      return;
    }
    this.failWith(entry, ename, evalue);
    this.client?.dispose();
    this.restart(evalue);
  }

  /** Limits the cell at work to `ms` from now on. */
  private limit(ms: number): void {
    const limit = `the cell ran longer than its limit of ${ms / 1000} s`;
    const end = (entry: Open): void =>
      this.stopHard(
        entry,
        'CellTimeoutError',
        `${limit} and did not respond to an interrupt. The kernel was restarted; its variables are lost.`,
      );
    this.whileAtWork(ms, entry => {
      if (!this.canInterrupt) {
        end(entry);
        return;
      }
      this.client?.interrupt({ limitMs: ms });
      this.whileAtWork(INSIST_MS, () => this.client?.interrupt({ limitMs: ms, storm: true }));
      this.whileAtWork(LIMIT_END_MS, end);
    });
  }

  /** Ends the cell at work with this error: by an interrupt, or by a restart where that has no effect. */
  endCell(ename: string, evalue: string): void {
    const entry = this.current;
    if (!entry || !isCell(entry) || entry.ended) {
      return;
    }
    entry.ended = { ename, evalue };
    this.client?.interrupt();
    this.whileAtWork(INSIST_MS, () => this.client?.interrupt({ storm: true }));
    this.whileAtWork(UNRESPONSIVE_MS, stuck =>
      this.stopHard(stuck, ename, `${evalue}. The kernel was restarted; its variables are lost.`),
    );
  }

  /** Calls `action` after `ms`, unless the message at work now is done by then. */
  private whileAtWork(ms: number, action: (entry: Open) => void): void {
    const entry = this.current;
    if (entry) {
      this.timers.push(setTimeout(() => this.current === entry && !entry.closed && action(entry), ms));
    }
  }

  /** The message at work is done. */
  private atRest(): void {
    this.timers.splice(0).forEach(clearTimeout);
    this.withdraw?.();
    this.withdraw = null;
  }

  /** Takes a message; the promise settles at once, the answer goes out by `sendMessage`. */
  async handleMessage(message: KernelMessage.IMessage): Promise<void> {
    if (this.disposedFlag) {
      return;
    }
    const { header } = message;
    this.sessions.add(header.session);
    this.lastSession = header.session;
    const entry: Open = {
      message,
      busy: false,
      replied: false,
      idle: false,
      prompt: '',
      dropped: false,
      closed: false,
    };
    switch (header.msg_type as string) {
      case 'input_reply':
        this.takeInput(message);
        break;
      case 'interrupt_request':
        this.interrupt();
        this.reply(entry, { status: 'ok' });
        break;
      case 'shutdown_request':
        this.shutdown(entry);
        break;
      default:
        this.open.set(header.msg_id, entry);
        this.queue.push(entry);
        this.ahead.giveWay();
        if (isCell(entry) && this.current && isCompletion(this.current)) {
          this.client?.interrupt();
        }
        void this.work();
    }
  }

  /** A line for the cell that waits for one; a line that comes too late would answer the next prompt. */
  private takeInput({ parent_header, content }: KernelMessage.IMessage): void {
    const { msg_id: prompt } = parent_header as { msg_id?: string };
    const entry = this.current;
    if (entry?.prompt && (!prompt || prompt === entry.prompt)) {
      entry.prompt = '';
      const { value } = content as { value?: unknown };
      this.client?.inputReply(typeof value === 'string' ? value : '');
    }
  }

  // --- requests

  /** Answers the queue, one message after the other. */
  private async work(): Promise<void> {
    if (this.current) {
      return;
    }
    for (let entry = this.queue.shift(); entry; entry = this.queue.shift()) {
      if (entry.dropped) {
        this.abort(entry);
        continue;
      }
      this.current = entry;
      try {
        const client = isCell(entry) ? await this.admit(entry) : await this.boot;
        if (client && !entry.closed) {
          const limitMs = isCell(entry) ? this.options.limitMs?.() : null;
          if (limitMs) {
            this.limit(limitMs);
          }
          if (isCompletion(entry)) {
            const ms = this.queue.some(isCell) ? HASTY_COMPLETION_MS : COMPLETION_MS;
            this.whileAtWork(ms, () => client.interrupt());
          }
          await client.request(toWorker(entry.message));
          this.finish(entry);
        }
      } catch (error) {
        this.fail(entry, error);
      }
      this.atRest();
    }
    this.current = null;
    this.ahead.rest();
  }

  /** The worker for a cell, or null when it is not to run and has been answered. */
  private async admit(entry: Open): Promise<KernelClient | null> {
    const { gate } = this.options;
    if (!gate) {
      return this.boot;
    }
    const waiting = new AbortController();
    this.waiting = waiting;
    try {
      const admission = await gate(waiting.signal);
      if (admission.refused) {
        this.failWith(entry, admission.refused.ename, admission.refused.evalue);
        if (stopsOnError(entry)) {
          this.dropQueued();
        }
        return null;
      }
      const client = await this.boot;
      await admission.prepare(client);
      return client;
    } catch (error) {
      if (!waiting.signal.aborted) {
        throw error;
      }
      this.failWith(entry, 'KeyboardInterrupt', '');
      return null;
    } finally {
      this.waiting = null;
    }
  }

  /** The worker is done with a message: whatever part of its answer is missing is added. */
  private finish(entry: Open): void {
    if (entry.closed) {
      return;
    }
    if (!entry.replied && hasReply(entry)) {
      this.fail(entry, new Error('Python handled this request and sent no reply.'));
    }
    this.close(entry);
  }

  /** The answer to a message the worker could not handle. */
  private fail(entry: Open, error: unknown): void {
    if (entry.closed) {
      return;
    }
    const crashed = (error as { code?: string }).code === 'worker-crash';
    const ename = crashed ? 'KernelDied' : 'KernelError';
    const evalue = crashed
      ? `The Python kernel stopped and was restarted; its variables are lost. Cause: ${textOf(error)}`
      : textOf(error);
    this.failWith(entry, ename, evalue);
  }

  private failWith(entry: Open, ename: string, evalue: string): void {
    const shown = { ename, evalue, traceback: [`${ename}: ${evalue}`] };
    if (!entry.replied && isCell(entry)) {
      this.markBusy(entry);
      this.publish('iopub', 'error', shown, entry.message.header);
    }
    this.reply(entry, {
      status: 'error',
      ...shown,
      execution_count: this.executionCount,
      user_expressions: {},
      payload: [],
    });
  }

  /** A cell that will not run. */
  private abort(entry: Open): void {
    this.reply(entry, { status: 'aborted' });
  }

  private dropQueued(): void {
    for (const entry of this.queue.filter(isCell)) {
      entry.dropped = true;
    }
  }

  private failOpen(reason: string): void {
    this.queue = [];
    for (const entry of [...this.open.values()]) {
      this.reply(entry, { status: 'error', ename: 'KernelError', evalue: reason, traceback: [] });
    }
  }

  /** What the answer still lacks of busy, a reply with this content, and idle. */
  private reply(entry: Open, content: object): void {
    if (entry.closed) {
      return;
    }
    const { header, channel } = entry.message;
    this.markBusy(entry);
    if (!entry.replied && hasReply(entry)) {
      this.publish(channel, header.msg_type.replace(HAS_REPLY, '_reply'), content, header);
      entry.replied = true;
    }
    this.close(entry);
  }

  private markBusy(entry: Open): void {
    if (!entry.busy) {
      this.publish('iopub', 'status', { execution_state: 'busy' }, entry.message.header);
      entry.busy = true;
    }
  }

  private close(entry: Open): void {
    this.open.delete(entry.message.header.msg_id);
    entry.closed = true;
    if (!entry.idle) {
      this.publish('iopub', 'status', { execution_state: 'idle' }, entry.message.header);
      entry.idle = true;
    }
    if (entry.prompt) {
      this.options.onPromptAbandoned?.(entry.message.header.msg_id);
    }
  }

  // --- the worker

  private start(): void {
    this.client = null;
    this.ahead.drop();
    this.hasBooted = false;
    this.executionCount = 0;
    this.boot = this.bootWorker(++this.generation);
    this.boot.catch(() => undefined); // every message gets the error as its answer
  }

  private async bootWorker(generation: number): Promise<KernelClient> {
    const { options } = this;
    const isCurrent = (): boolean => generation === this.generation;
    try {
      const client = await options.createClient({
        onMessage: message => isCurrent() && this.relay(message),
        onProgress: progress => isCurrent() && options.onProgress?.(progress),
        onPackageProgress: progress => isCurrent() && options.onPackageProgress?.(progress),
        onLog: options.onLog,
        onLimit: ms => isCurrent() && this.limit(ms),
        // What cannot be interrupted would keep cells waiting.
        onAhead: () => isCurrent() && this.client?.canInterrupt && this.ahead.offer(this.client),
        onCrash: error => {
          if (isCurrent() && error.code === 'worker-crash') {
            if (this.current) {
              this.fail(this.current, error);
            }
            this.restart(error.message);
          }
        },
      });
      if (!isCurrent()) {
        client.dispose();
        await client.ready;
      }
      this.client = client;
      await client.ready;
      if (isCurrent()) {
        this.hasBooted = true;
        this.bootedSignal.emit();
        options.onBooted?.();
      }
      return client;
    } catch (error) {
      if (isCurrent()) {
        options.onBootFailed?.(textOf(error));
      }
      throw error;
    }
  }

  /**
   * The worker is gone: a fresh one boots in its place, under the same kernel id. Cells that wait
   * count on variables that are lost. They and the message at work are answered before, for
   * `restarting` makes front ends drop what is pending.
   */
  private restart(reason: string): void {
    this.queue.filter(isCell).forEach(entry => this.abort(entry));
    this.queue = this.queue.filter(entry => !entry.closed);
    this.start();
    this.publish('iopub', 'status', { execution_state: 'restarting' }, {});
    this.options.onRestarted?.(reason);
  }

  /** Not queued: a cell that never ends must not keep its kernel alive. */
  private shutdown(entry: Open): void {
    const { restart } = entry.message.content as { restart?: unknown };
    if (restart === true) {
      this.generation++;
      this.waiting?.abort();
      this.failOpen('The kernel was restarted.');
      this.client?.dispose();
      this.start();
      this.reply(entry, { status: 'ok', restart: true });
    } else {
      this.reply(entry, { status: 'ok', restart: false });
      this.dispose();
    }
  }

  // --- messages to the front end

  private relay(message: JupyterMessage): void {
    const entry = this.open.get(message.parent_header.msg_id ?? '');
    if (entry?.ended) {
      this.replaceError(entry.ended, message);
    }
    if (!this.deliver(message)) {
      return;
    }
    const { content, header, channel } = message;
    if (typeof content.execution_count === 'number') {
      this.executionCount = content.execution_count;
    }
    if (!entry) {
      return;
    }
    if (header.msg_type === 'status') {
      entry.busy ||= content.execution_state === 'busy';
      entry.idle ||= content.execution_state === 'idle';
    } else if (header.msg_type === 'input_request') {
      entry.prompt = header.msg_id;
    } else if (channel === 'shell' || channel === 'control') {
      entry.replied = true;
      if (content.status === 'error' && stopsOnError(entry)) {
        this.dropQueued(); // those that wait now: who has seen the reply may send new ones
      }
    }
  }

  /** What ended a cell stands in the place of the interrupt that did it, also where the cell caught that. */
  private replaceError({ ename, evalue }: { ename: string; evalue: string }, message: JupyterMessage): void {
    const { content, header, parent_header } = message;
    const shown = { ename, evalue, traceback: [`${ename}: ${evalue}`] };
    if (content.ename === 'KeyboardInterrupt') {
      Object.assign(content, shown);
    } else if (header.msg_type === 'execute_reply' && content.ename !== ename) {
      this.publish('iopub', 'error', shown, parent_header);
      Object.assign(content, { status: 'error', ...shown });
    }
  }

  private publish(channel: string, type: string, content: object, parent: object): void {
    const { session = this.lastSession } = parent as { session?: string };
    this.deliver({
      channel: channel as JupyterMessage['channel'],
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
      content: content as JupyterMessage['content'],
      buffers: [],
    });
  }

  /** Whether the message has gone out. */
  private deliver(message: JupyterMessage): boolean {
    if (this.disposedFlag) {
      return false;
    }
    if (!this.sessions.has(message.header.session)) {
      message.header.session = this.lastSession; // output that belongs to no request
    }
    try {
      this.options.sendMessage(message as unknown as KernelMessage.IMessage);
      return true;
    } catch (error) {
      this.options.onLog?.('error', `${message.header.msg_type} was not sent: ${textOf(error)}`);
      return false;
    }
  }
}

function hasReply({ message }: Open): boolean {
  return HAS_REPLY.test(message.header.msg_type);
}

function isCell({ message }: Open): boolean {
  return message.header.msg_type === 'execute_request';
}

function isCompletion({ message }: Open): boolean {
  return message.header.msg_type === 'complete_request';
}

function stopsOnError(entry: Open): boolean {
  const { stop_on_error: stop } = entry.message.content as { stop_on_error?: unknown };
  return isCell(entry) && stop !== false;
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
