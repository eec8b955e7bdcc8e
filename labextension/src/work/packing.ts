/**
 * Gzip and hashes, by the browser's own functions.
 */

/** Longest text that is unpacked, in bytes: a damaged or foreign file must not fill the memory. */
const MAX_UNPACKED_BYTES = 512 * 1024 * 1024;

/** Returns the first 32 hexadecimal digits of a text's SHA-256. */
export async function hashOf(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return hex(digest).slice(0, 32);
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');
}

export async function pack(text: string): Promise<Uint8Array> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** @throws if the data are damaged or too long. */
export async function unpack(data: Uint8Array): Promise<string> {
  const reader = new Blob([data as BlobPart]).stream().pipeThrough(new DecompressionStream('gzip')).getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const texts: string[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > MAX_UNPACKED_BYTES) {
      await reader.cancel();
      throw new Error(`it is longer than ${MAX_UNPACKED_BYTES} bytes`);
    }
    texts.push(decoder.decode(part.value, { stream: true }));
  }
  return texts.join('') + decoder.decode();
}
