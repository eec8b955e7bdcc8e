/** What TypeScript's library lacks for bytes. */

/** Returns all chunks in one piece. */
export function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}

/** Frees a buffer now. Engines that cannot do so free it when they collect garbage, which idle workers put off. */
export function free(buffer: ArrayBuffer & { transfer?(length: number): ArrayBuffer }): void {
  if (buffer.byteLength) {
    buffer.transfer?.(0); // fails if the buffer has been posted
  }
}

/** Frees a chunk of a stream after its bytes have been used. A part of a larger buffer is left alone: others may need the rest. */
export function freeChunk({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) {
    free(buffer);
  }
}

/**
 * Returns a stream of the same chunks for a reader that copies each one before it asks for the next, as browsers do when they compile
 * WebAssembly from a stream. Each chunk is freed when the next one is asked for.
 */
export function freeingStream(
  source: ReadableStream<Uint8Array<ArrayBuffer>>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = source.getReader();
  let taken: Uint8Array | undefined;
  return new ReadableStream(
    {
      async pull(controller) {
        if (taken) {
          freeChunk(taken);
        }
        const { done, value } = await reader.read();
        taken = value;
        if (done) {
          controller.close();
        } else {
          controller.enqueue(value);
        }
      },
      cancel: reason => reader.cancel(reason),
    },
    { highWaterMark: 0 }, // asks for a chunk only when the reader wants it
  );
}

/** Bytes of a buffer for which every engine collects garbage. */
const COLLECTING_BYTES = 128 << 20;

/**
 * Makes the engine collect garbage soon, in steps of its own. An idle worker allocates nothing, so by itself it would keep its garbage for ever.
 *
 * Engines collect when a large buffer is made. This one is freed at once and nothing is written to it, so it never takes memory.
 */
export function collectGarbage(): void {
  try {
    free(new ArrayBuffer(COLLECTING_BYTES));
  } catch {
    // there is no room for it, even for a moment
  }
}

/** Reads a stream to its end. Frees its chunks. */
export async function gather(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<ArrayBuffer> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  const reader = stream.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    chunks.push(part.value);
  }
  const { buffer } = concat(chunks);
  chunks.forEach(freeChunk);
  return buffer;
}

export function areSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** Returns a SHA-256 in hexadecimal digits. Only secure origins can compute it. */
export async function sha256Of(bytes: Uint8Array | ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource));
  return Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
}
