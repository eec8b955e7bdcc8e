/** A front end's message as it can be posted to a worker. */
import type { KernelMessage } from '@jupyterlab/services';

import type { JupyterMessage } from '../runtime/protocol';

/** A message that can be posted: plain, and with buffers of its own. */
export function toWorker(message: KernelMessage.IMessage): JupyterMessage {
  const { channel, header, parent_header, metadata, content, buffers = [] } = message;
  const plain = JSON.stringify({ channel, header, parent_header, metadata, content });
  return { ...(JSON.parse(plain) as JupyterMessage), buffers: buffers.map(copyBuffer) };
}

function copyBuffer(buffer: ArrayBuffer | ArrayBufferView): ArrayBuffer {
  return ArrayBuffer.isView(buffer)
    ? (buffer.buffer as ArrayBuffer).slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength)
    : buffer.slice(0);
}
