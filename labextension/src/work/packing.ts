/**
 * Gzip and hashes, by the browser's own functions.
 */
import { sha256Of } from '../runtime/bytes';

/** Longest text that is unpacked, in bytes: a damaged or foreign file must not fill the memory. */
const MAX_UNPACKED_BYTES = 512 * 1024 * 1024;

/** Returns the first 32 hexadecimal digits of a text's SHA-256. */
export async function hashOf(text: string): Promise<string> {
  return (await sha256Of(new TextEncoder().encode(text))).slice(0, 32);
}

/** Returns the name under which the second store has a site's notebook. @param site - address of the site, without the origin. */
export async function storedName(site: string, path: string): Promise<string> {
  return hashOf(`${site}\n${path}`);
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

/** Returns what a packed JSON text holds; null if there is none or it is damaged. */
export async function unpackJson<T>(data: Uint8Array | null): Promise<T | null> {
  try {
    return data && (JSON.parse(await unpack(data)) as T);
  } catch {
    return null;
  }
}
