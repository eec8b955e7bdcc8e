/**
 * Sends messages to the kernel's front ends: those of Python, and those that the kernel makes.
 */
import type { KernelMessage } from '@jupyterlab/services';
import type { IKernel } from '@jupyterlite/services';

import { errorText } from '../runtime/errors';
import type { JupyterMessage } from '../runtime/protocol';

export class FrontEnd {
  /** Sessions of JupyterLite's clients. JupyterLite delivers only messages that name one of them. */
  private readonly sessions = new Set<string>();
  private lastSession = '';
  private isClosed = false;

  constructor(
    private readonly options: Pick<IKernel.IOptions, 'sendMessage'> & {
      onLog?(level: 'error', text: string): void;
    },
  ) {}

  /** A message has come from a client with this session. */
  hear(session: string): void {
    this.sessions.add(session);
    this.lastSession = session;
  }

  /** Sends a message that the kernel makes. */
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

  /** Sends a message. @returns whether it was sent. */
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

  /** Sends nothing from now on. */
  close(): void {
    this.isClosed = true;
  }
}
