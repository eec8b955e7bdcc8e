/**
 * The frames in the pipes between the kernel process and Deno: `[uint32 length of the JSON][uint32 length of the bytes][JSON][bytes]`,
 * little endian. The JSON is an object, whose `buffers` lists the lengths of the parts of the bytes.
 */
import { concat } from '../runtime/bytes';

export interface Frame {
  type: string;
  buffers?: number[];
  [name: string]: unknown;
}

export interface Received {
  frame: Frame;
  buffers: Uint8Array[];
}

const HEAD = 8;

export function encodeFrame(frame: Frame, buffers: Uint8Array[] = []): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify({ ...frame, buffers: buffers.map(buffer => buffer.length) }));
  const size = buffers.reduce((sum, buffer) => sum + buffer.length, 0);
  const bytes = new Uint8Array(HEAD + json.length + size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, json.length, true);
  view.setUint32(4, size, true);
  bytes.set(json, HEAD);
  let offset = HEAD + json.length;
  for (const buffer of buffers) {
    bytes.set(buffer, offset);
    offset += buffer.length;
  }
  return bytes;
}

/** Splits a stream of bytes into frames. */
export async function* readFrames(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Received> {
  let chunks: Uint8Array[] = [];
  let held = 0;
  let wanted = HEAD;
  for await (const chunk of stream) {
    chunks.push(chunk);
    held += chunk.length;
    while (held >= wanted) {
      const bytes = chunks.length === 1 ? chunks[0] : concat(chunks);
      chunks = [bytes];
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      const json = view.getUint32(0, true);
      wanted = HEAD + json + view.getUint32(4, true);
      if (held < wanted) {
        break;
      }
      yield decode(bytes, json);
      chunks = [bytes.subarray(wanted)];
      held -= wanted;
      wanted = HEAD;
    }
  }
}

function decode(bytes: Uint8Array, json: number): Received {
  const frame = JSON.parse(new TextDecoder().decode(bytes.subarray(HEAD, HEAD + json))) as Frame;
  let offset = HEAD + json;
  const buffers = (frame.buffers ?? []).map(length => {
    offset += length;
    return bytes.slice(offset - length, offset);
  });
  return { frame, buffers };
}
