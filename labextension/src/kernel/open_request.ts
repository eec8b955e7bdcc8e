/**
 * One message of a front end, and the parts of its answer that have been sent: busy, a reply, idle. Whatever happens, every
 * request gets all three, once.
 */
import type { KernelMessage } from '@jupyterlab/services';

import type { JupyterMessage } from '../runtime/protocol';
import type { FrontEnd } from './front_end';

const HAS_REPLY = /_request$/;

/** An error as a front end shows it. */
interface ShownError {
  ename: string;
  evalue: string;
}

export class OpenRequest {
  /** The request will not run. It is answered as aborted when its turn comes. */
  isDropped = false;
  /** Why the host ends the cell; shown instead of the KeyboardInterrupt that ends it. */
  ended: ShownError | null = null;
  /** Id of the `input_request` whose answer the request waits for; '' for none. */
  prompt = '';
  private isBusy = false;
  private isReplied = false;
  private isIdle = false;
  private closed = false;

  /** @param onClosed - called once, when the answer is complete. */
  constructor(
    readonly message: KernelMessage.IMessage,
    private readonly frontEnd: FrontEnd,
    private readonly onClosed: (request: OpenRequest) => void,
  ) {}

  get id(): string {
    return this.message.header.msg_id;
  }

  /** Whether the answer is complete. Anything that happens to the request later is ignored. */
  get isClosed(): boolean {
    return this.closed;
  }

  get isCell(): boolean {
    return this.message.header.msg_type === 'execute_request';
  }

  get isCompletion(): boolean {
    return this.message.header.msg_type === 'complete_request';
  }

  /** Whether an error drops the cells that wait. */
  get stopsOnError(): boolean {
    const { stop_on_error: stop } = this.message.content as { stop_on_error?: unknown };
    return this.isCell && stop !== false;
  }

  /** Notes a part of the answer that Python has sent. @returns whether it is the reply. */
  note({ channel, header, content }: JupyterMessage): boolean {
    if (header.msg_type === 'status') {
      this.isBusy ||= content.execution_state === 'busy';
      this.isIdle ||= content.execution_state === 'idle';
    } else if (header.msg_type === 'input_request') {
      this.prompt = header.msg_id;
    } else if (channel === 'shell' || channel === 'control') {
      this.isReplied = true;
      return true;
    }
    return false;
  }

  /**
   * Returns the line of an `input_reply` if this request waits for it, else null: a line that comes too late would answer the
   * next prompt.
   */
  takeInput({ parent_header, content }: KernelMessage.IMessage): string | null {
    const { msg_id: prompt } = parent_header as { msg_id?: string };
    if (!this.prompt || (prompt && prompt !== this.prompt)) {
      return null;
    }
    this.prompt = '';
    const { value } = content as { value?: unknown };
    return typeof value === 'string' ? value : '';
  }

  /** Shows why the host ended the cell instead of the KeyboardInterrupt, even if the cell caught that. */
  replaceInterrupt({ content, header, parent_header }: JupyterMessage): void {
    if (!this.ended) {
      return;
    }
    const { ename, evalue } = this.ended;
    const shown = { ename, evalue, traceback: [`${ename}: ${evalue}`] };
    if (content.ename === 'KeyboardInterrupt') {
      Object.assign(content, shown);
    } else if (header.msg_type === 'execute_reply' && content.ename !== ename) {
      this.frontEnd.publish('iopub', 'error', shown, parent_header);
      Object.assign(content, { status: 'error', ...shown });
    }
  }

  /** Sends the parts that the answer still lacks: busy, a reply with this content, idle. */
  reply(content: object): void {
    if (this.closed) {
      return;
    }
    const { header, channel } = this.message;
    this.markBusy();
    if (this.lacksReply) {
      this.frontEnd.publish(channel, header.msg_type.replace(HAS_REPLY, '_reply'), content, header);
      this.isReplied = true;
    }
    this.close();
  }

  /** Answers with an error. A cell also shows it. */
  fail(ename: string, evalue: string, executionCount: number): void {
    const shown = { ename, evalue, traceback: [`${ename}: ${evalue}`] };
    if (!this.isReplied && this.isCell) {
      this.markBusy();
      this.frontEnd.publish('iopub', 'error', shown, this.message.header);
    }
    this.reply({
      status: 'error',
      ...shown,
      execution_count: executionCount,
      user_expressions: {},
      payload: [],
    });
  }

  /** Answers a cell that will not run. */
  abort(): void {
    this.reply({ status: 'aborted' });
  }

  /** Whether the front end waits for a reply that has not been sent. */
  get lacksReply(): boolean {
    return !this.isReplied && HAS_REPLY.test(this.message.header.msg_type);
  }

  /** Completes an answer that lacks only its idle status. */
  close(): void {
    this.closed = true;
    if (!this.isIdle) {
      this.frontEnd.publish('iopub', 'status', { execution_state: 'idle' }, this.message.header);
      this.isIdle = true;
    }
    this.onClosed(this);
  }

  private markBusy(): void {
    if (!this.isBusy) {
      this.frontEnd.publish('iopub', 'status', { execution_state: 'busy' }, this.message.header);
      this.isBusy = true;
    }
  }
}
