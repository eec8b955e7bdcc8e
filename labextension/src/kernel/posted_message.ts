/** A front end's message in the form that the worker takes. */
import type { KernelMessage } from '@jupyterlab/services';

import type { JupyterMessage } from '../runtime/protocol';

/** Copies the parts of a message, its buffers too. */
export function toWorker(message: KernelMessage.IMessage): JupyterMessage {
  const { channel, header, parent_header, metadata, content, buffers = [] } = message;
  const plain = { channel, header, parent_header, metadata, content } as JupyterMessage;
  return { ...plain, buffers: buffers.map(copyBuffer) };
}

function copyBuffer(buffer: ArrayBuffer | ArrayBufferView): ArrayBuffer {
  return ArrayBuffer.isView(buffer)
    ? (buffer.buffer as ArrayBuffer).slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength)
    : buffer.slice(0);
}
