/**
 * Keeps cells of a refused notebook from running in another kernel, such as ipykernel. Our own kernel refuses them itself.
 */
import { KernelMessage, type Kernel } from '@jupyterlab/services';

import { refusalContent, type Verdict } from './gate';

type Request = KernelMessage.IExecuteRequestMsg;
type Reply = KernelMessage.IExecuteReplyMsg;
type Future = Kernel.IShellFuture<Request, Reply>;
type Hook = (message: KernelMessage.IIOPubMessage) => boolean | PromiseLike<boolean>;

const guarded = new WeakSet<Kernel.IKernelConnection>();

/**
 * Makes every cell sent through `connection` wait for `verdict`.
 *
 * @param verdict - called for each cell; never rejects.
 */
export function guardConnection(connection: Kernel.IKernelConnection, verdict: () => Promise<Verdict>): void {
  if (guarded.has(connection)) {
    return;
  }
  guarded.add(connection);
  const send = connection.sendShellMessage.bind(connection);
  connection.sendShellMessage = ((message: KernelMessage.IShellMessage, ...options: boolean[]) =>
    message.header.msg_type === 'execute_request'
      ? new GuardedExecution(message as Request, verdict(), () => send(message, ...options) as Future)
      : send(message, ...options)) as typeof connection.sendShellMessage;
}

const nothing = (): void => undefined;

/** The future of a cell. The cell is sent once it may run, or answered with the refusal. */
class GuardedExecution implements Future {
  readonly done: Promise<Reply>;
  private settle!: { resolve(reply: Reply): void; reject(reason: Error): void };
  private inner: Future | null = null;
  private disposed = false;
  private reply: Future['onReply'] = nothing;
  private iopub: Future['onIOPub'] = nothing;
  private stdin: Future['onStdin'] = nothing;
  private readonly hooks: Hook[] = [];

  constructor(
    readonly msg: Request,
    verdict: Promise<Verdict>,
    private readonly send: () => Future,
  ) {
    this.done = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.done.catch(nothing); // the error is thrown where `done` is awaited
    void verdict.then(value => this.decide(value));
  }

  get isDisposed(): boolean {
    return this.disposed;
  }

  get onReply(): Future['onReply'] {
    return this.inner ? this.inner.onReply : this.reply;
  }
  set onReply(handler: Future['onReply']) {
    this.reply = handler;
    if (this.inner) {
      this.inner.onReply = handler;
    }
  }

  get onIOPub(): Future['onIOPub'] {
    return this.inner ? this.inner.onIOPub : this.iopub;
  }
  set onIOPub(handler: Future['onIOPub']) {
    this.iopub = handler;
    if (this.inner) {
      this.inner.onIOPub = handler;
    }
  }

  get onStdin(): Future['onStdin'] {
    return this.inner ? this.inner.onStdin : this.stdin;
  }
  set onStdin(handler: Future['onStdin']) {
    this.stdin = handler;
    if (this.inner) {
      this.inner.onStdin = handler;
    }
  }

  registerMessageHook(hook: Hook): void {
    if (this.inner) {
      this.inner.registerMessageHook(hook);
    } else {
      this.hooks.push(hook);
    }
  }

  removeMessageHook(hook: Hook): void {
    if (this.inner) {
      this.inner.removeMessageHook(hook);
    } else if (this.hooks.includes(hook)) {
      this.hooks.splice(this.hooks.indexOf(hook), 1);
    }
  }

  sendInputReply(...reply: Parameters<Future['sendInputReply']>): void {
    this.inner?.sendInputReply(...reply);
  }

  dispose(): void {
    if (this.disposed) {
      return;
    }
    this.disposed = true;
    this.inner?.dispose();
    this.settle.reject(new Error('Canceled future for execute_request message before replies were done'));
  }

  private async decide(verdict: Verdict): Promise<void> {
    if (this.disposed) {
      return;
    }
    if (verdict.kind === 'refused') {
      const { ename, evalue } = refusalContent(verdict.refusal);
      await this.refuse({ ename, evalue, traceback: [`${ename}: ${evalue}`] });
      return;
    }
    try {
      const inner = this.send();
      this.inner = inner;
      inner.onReply = this.reply;
      inner.onIOPub = this.iopub;
      inner.onStdin = this.stdin;
      this.hooks.forEach(hook => inner.registerMessageHook(hook));
      inner.done.then(this.settle.resolve, this.settle.reject);
    } catch (error) {
      this.settle.reject(error as Error);
    }
  }

  private async refuse(shown: { ename: string; evalue: string; traceback: string[] }): Promise<void> {
    const { header } = this.msg;
    const parentHeader = header;
    const { session } = header;
    const error = KernelMessage.createMessage<KernelMessage.IErrorMsg>({
      channel: 'iopub',
      msgType: 'error',
      session,
      parentHeader,
      content: shown,
    });
    const reply = KernelMessage.createMessage<Reply>({
      channel: 'shell',
      msgType: 'execute_reply',
      session,
      parentHeader,
      content: { status: 'error', execution_count: null, ...shown },
    });
    await this.iopub(error);
    await this.reply(reply);
    this.settle.resolve(reply);
  }
}
