/**
 * Messages to the kernel's front ends: Python's own, and those the kernel makes.
 */
import type { KernelMessage } from '@jupyterlab/services';
import type { IKernel } from '@jupyterlite/services';

import { errorText } from '../runtime/errors';
import type { JupyterMessage } from '../runtime/protocol';

export class FrontEnd {
  /** JupyterLite delivers only what carries the session of one of its clients. */
  private readonly sessions = new Set<string>();
  private lastSession = '';
  private isClosed = false;

  constructor(
    private readonly options: Pick<IKernel.IOptions, 'sendMessage'> & {
      onLog?(level: 'error', text: string): void;
    },
  ) {}

  /** A message has come from a client's session. */
  hear(session: string): void {
    this.sessions.add(session);
    this.lastSession = session;
  }

  /** Sends a message of the kernel's own. */
  publish(channel: string, type: string, content: object, parent: object): void {
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
  deliver(message: JupyterMessage): boolean {
    if (this.isClosed) {
      return false;
    }
    if (!this.sessions.has(message.header.session)) {
      message.header.session = this.lastSession; // output that belongs to no request
    }
    try {
      this.options.sendMessage(message as unknown as KernelMessage.IMessage);
      return true;
    } catch (error) {
      this.options.onLog?.('error', `${message.header.msg_type} was not sent: ${errorText(error)}`);
      return false;
    }
  }

  /** Nothing goes out any more. */
  close(): void {
    this.isClosed = true;
  }
}
