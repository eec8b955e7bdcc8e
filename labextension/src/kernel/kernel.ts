/**
 * The kernel that JupyterLab talks to: relays whole messages to a worker and back. It knows nothing about Pyodide. Whatever
 * happens to the worker, every request gets its reply and its idle status.
 *
 * The kernel has its own queue, so that no message has to wait in JupyterLite's. When a cell fails, messages in JupyterLite's
 * queue are lost without an answer.
 */
import type { KernelMessage } from '@jupyterlab/services';
import type { IKernel } from '@jupyterlite/services';
import { Signal, type ISignal } from '@lumino/signaling';

import { errorText } from '../runtime/errors';
import type { BootInfo, InterruptMode, JupyterMessage } from '../runtime/protocol';
import { Admissions } from './admission';
import { FrontEnd } from './front_end';
import type { BrowsergradKernelOptions, KernelWorker } from './kernel_options';
import { OpenRequest } from './open_request';
import { StopEscalation } from './stop_escalation';
import { toWorker } from './posted_message';
import { WorkerSupervisor } from './worker_supervisor';

/** Ms after which a completion answers with what it has found so far. Nobody waits longer for one. */
const COMPLETION_MS = 1500;
/** The same while a cell waits for the completion. */
const HASTY_COMPLETION_MS = 100;

export class BrowsergradKernel implements IKernel {
  readonly id: string;
  readonly name: string;
  readonly location: string;
  /** Settled from the start: messages wait in the kernel's own queue. */
  readonly ready = Promise.resolve();
  private readonly disposedSignal = new Signal<this, void>(this);
  private readonly bootedSignal = new Signal<this, void>(this);
  private disposedFlag = false;
  private readonly frontEnd: FrontEnd;
  private readonly supervisor: WorkerSupervisor;
  private readonly stop: StopEscalation;
  private readonly admissions: Admissions;
  /** The messages that have not been answered completely, by `msg_id`. */
  private readonly open = new Map<string, OpenRequest>();
  private queue: OpenRequest[] = [];
  /** The message that is being handled, or waits for Python to start. */
  private current: OpenRequest | null = null;
  private executionCount = 0;

  constructor(private readonly options: BrowsergradKernelOptions) {
    this.id = options.id;
    this.name = options.name;
    this.location = options.location;
    this.frontEnd = new FrontEnd(options);
    this.supervisor = new WorkerSupervisor(options, {
      onMessage: message => this.relay(message),
      onLimit: ms => this.stop.limit(ms),
      onBooted: () => {
        this.bootedSignal.emit();
        options.onBooted?.();
      },
      onCrash: error => {
        if (this.current) {
          this.fail(this.current, error);
        }
        this.restart(error.message);
      },
    });
    this.stop = new StopEscalation({
      current: () => this.current,
      worker: () => this.worker,
      stopHard: (request, ename, evalue) => this.stopHard(request, ename, evalue),
      onUnresponsive: restart => options.onUnresponsive?.(restart) ?? null,
    });
    this.admissions = new Admissions(options.gate, () => this.supervisor.readyForCells());
    this.supervisor.start();
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
    return this.worker?.interruptMode ?? 'none';
  }

  /** Whether Python sees the page's files. Before it has started, this is not known, and true. */
  get hasDrive(): boolean {
    return this.worker?.hasDrive ?? true;
  }

  /** How the present worker's Python was started; null before it has started. */
  get startedFrom(): BootInfo['from'] | null {
    return this.worker?.startedFrom ?? null;
  }

  /** `msg_id` of the running request; '' when idle. */
  get atWork(): string {
    return this.current?.id ?? '';
  }

  /** The files that code has written to Python's own memory, by path. While a cell runs, they come when it awaits or ends. */
  async homeFiles(): Promise<Record<string, Uint8Array>> {
    return (await this.supervisor.ready).homeFiles();
  }

  /**
   * Lets the worker fetch and compile the packages of modules that cells will import. Requests do not wait for it.
   *
   * @param mayImport - whether the page may also import them before a cell does.
   */
  expect(modules: string[], mayImport = false): void {
    if (modules.length && this.supervisor.hasBooted) {
      this.worker?.expect(modules);
      if (mayImport) {
        this.options.onExpected?.(modules, () => this.supervisor.isUntouched && !this.disposedFlag);
      }
    }
  }

  private get worker(): KernelWorker | null {
    return this.supervisor.worker;
  }

  /** Ends the worker. Open requests are answered first. */
  dispose(): void {
    if (this.disposedFlag) {
      return;
    }
    this.endWorker('The kernel was shut down.');
    this.disposedFlag = true;
    this.frontEnd.close();
    this.supervisor.ahead.drop();
    this.disposedSignal.emit();
    Signal.clearData(this);
  }

  /** Interrupts the running request and drops the cells that wait. Does nothing when idle. */
  interrupt(): void {
    this.dropQueued();
    this.admissions.abort();
    if (!this.supervisor.hasBooted) {
      // Nothing runs, so cells that wait for Python's start are answered immediately.
      [...this.open.values()].filter(request => request.isCell).forEach(request => request.abort());
    } else if (this.current) {
      this.stop.interrupt();
    }
  }

  /** Ends the running cell with this error: by an interrupt, or by a restart if that has no effect. */
  endCell(ename: string, evalue: string): void {
    this.stop.end(ename, evalue);
  }

  /** Takes a message. The promise settles immediately; the answer is sent by `sendMessage`. */
  async handleMessage(message: KernelMessage.IMessage): Promise<void> {
    if (this.disposedFlag) {
      return;
    }
    const { header } = message;
    this.frontEnd.hear(header.session);
    const request = new OpenRequest(message, this.frontEnd, closed => this.forget(closed));
    switch (header.msg_type as string) {
      case 'input_reply':
        this.takeInput(message);
        break;
      case 'interrupt_request':
        this.interrupt();
        request.reply({ status: 'ok' });
        break;
      case 'shutdown_request':
        this.shutdown(request);
        break;
      default:
        this.open.set(request.id, request);
        this.queue.push(request);
        this.supervisor.ahead.giveWay();
        if (request.isCell && this.current?.isCompletion) {
          this.worker?.interrupt();
        }
        void this.work();
    }
  }

  /** Takes a line of input for the cell that waits for one. */
  private takeInput(message: KernelMessage.IMessage): void {
    const line = this.current?.takeInput(message) ?? null;
    if (line !== null) {
      this.worker?.inputReply(line);
    }
  }

  /** The answer to a request is complete. */
  private forget(request: OpenRequest): void {
    this.open.delete(request.id);
    if (request.prompt) {
      this.options.onPromptAbandoned?.(request.id);
    }
  }

  // --- the queue

  /** Answers the queue, one message after the other. */
  private async work(): Promise<void> {
    if (this.current) {
      return;
    }
    for (let request = this.queue.shift(); request; request = this.queue.shift()) {
      if (request.isDropped) {
        request.abort();
        continue;
      }
      this.current = request;
      try {
        const worker = request.isCell ? await this.admit(request) : await this.supervisor.ready;
        if (worker && !request.isClosed) {
          await this.handOn(request, worker);
        }
      } catch (error) {
        this.fail(request, error);
      }
      this.stop.reset();
    }
    this.current = null;
    this.supervisor.ahead.rest();
  }

  private async handOn(request: OpenRequest, worker: KernelWorker): Promise<void> {
    const limitMs = request.isCell ? this.options.limitMs?.() : null;
    if (limitMs) {
      this.stop.limit(limitMs);
    }
    if (request.isCompletion) {
      const ms = this.queue.some(waiting => waiting.isCell) ? HASTY_COMPLETION_MS : COMPLETION_MS;
      this.stop.whileAtWork(ms, () => worker.interrupt());
    }
    await worker.request(toWorker(request.message));
    if (request.isClosed) {
      return;
    }
    if (request.lacksReply) {
      this.fail(request, new Error('Python handled this request and sent no reply.'));
    } else {
      request.close();
    }
  }

  /** Returns the worker for a cell; or null if the cell may not run, and has been answered. */
  private async admit(request: OpenRequest): Promise<KernelWorker | null> {
    const admitted = await this.admissions.admit();
    if (!admitted.worker) {
      request.fail(admitted.error.ename, admitted.error.evalue, this.executionCount);
      if (admitted.dropsOthers && request.stopsOnError) {
        this.dropQueued();
      }
    }
    return admitted.worker;
  }

  /** Answers a message that the worker could not handle. */
  private fail(request: OpenRequest, error: unknown): void {
    if (!request.isClosed) {
      const [ename, evalue] = kernelError(error);
      request.fail(ename, evalue, this.executionCount);
    }
  }

  private dropQueued(): void {
    for (const request of this.queue) {
      request.isDropped ||= request.isCell;
    }
  }

  // --- the worker

  /** Ends the worker of a message that gets no answer. The messages that wait are dropped. */
  private stopHard(request: OpenRequest, ename: string, evalue: string): void {
    if (this.current !== request || request.isClosed) {
      return;
    }
    request.fail(ename, evalue, this.executionCount);
    this.worker?.dispose();
    this.restart(evalue);
  }

  /**
   * Starts a new worker under the same kernel id, after the present one has ended. Cells that wait rely on variables that are
   * lost. They and the running message are answered first, since the status `restarting` makes front ends drop pending requests.
   */
  private restart(reason: string): void {
    this.queue.filter(request => request.isCell).forEach(request => request.abort());
    this.queue = this.queue.filter(request => !request.isClosed);
    this.startWorker();
    this.frontEnd.publish('iopub', 'status', { execution_state: 'restarting' }, {});
    this.options.onRestarted?.(reason);
  }

  private startWorker(): void {
    this.executionCount = 0;
    this.supervisor.start();
  }

  /** Ends the worker. Open requests are answered first. */
  private endWorker(reason: string): void {
    this.supervisor.retire();
    this.admissions.abort();
    this.queue = [];
    for (const request of [...this.open.values()]) {
      request.reply({ status: 'error', ename: 'KernelError', evalue: reason, traceback: [] });
    }
    this.worker?.dispose();
  }

  /** Not queued: a cell that never ends must not keep its kernel alive. */
  private shutdown(request: OpenRequest): void {
    const { restart } = request.message.content as { restart?: unknown };
    if (restart === true) {
      this.endWorker('The kernel was restarted.');
      this.startWorker();
      request.reply({ status: 'ok', restart: true });
    } else {
      request.reply({ status: 'ok', restart: false });
      this.dispose();
    }
  }

  /** A message that Python sends. */
  private relay(message: JupyterMessage): void {
    const request = this.open.get(message.parent_header.msg_id ?? '');
    request?.replaceInterrupt(message);
    if (request && message.header.msg_type === 'input_request') {
      this.options.onPrompt?.(request.id, String(message.content.prompt ?? ''));
    }
    if (!this.frontEnd.deliver(message)) {
      return;
    }
    const { content } = message;
    if (typeof content.execution_count === 'number') {
      this.executionCount = content.execution_count;
    }
    const isReply = request?.note(message) ?? false;
    if (isReply && content.status === 'error' && request?.stopsOnError) {
      this.dropQueued(); // only those that wait now: a front end that has seen the reply may send new ones
    }
  }
}

/** Name and text of an error, as a front end gets them. */
function kernelError(error: unknown): [ename: string, evalue: string] {
  const cause = errorText(error);
  return (error as { code?: string }).code === 'worker-crash'
    ? ['KernelDied', `The Python kernel stopped and was restarted; its variables are lost. Cause: ${cause}`]
    : ['KernelError', cause];
}
