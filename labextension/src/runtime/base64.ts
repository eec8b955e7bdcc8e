/** Encodes and decodes base64: by the browser's own functions, which not all supported browsers have, else by `atob` and `btoa`. */

/** Bytes that become the arguments of one call. Engines limit the number of arguments. */
const CHUNK_BYTES = 0x8000;

/** What TypeScript's library does not know yet. */
type Encoder = Uint8Array & { toBase64?(): string };
type Decoder = typeof Uint8Array & { fromBase64?(text: string): Uint8Array<ArrayBuffer> };

export function toBase64(bytes: Uint8Array): string {
  return (bytes as Encoder).toBase64?.() ?? encode(bytes);
}

/** @throws an error if `text` is not base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return (Uint8Array as Decoder).fromBase64?.(text) ?? decode(text);
}

function encode(bytes: Uint8Array): string {
  let binary = '';
  for (let i = 0; i < bytes.length; i += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(i, i + CHUNK_BYTES));
  }
  return btoa(binary);
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  // A loop: `Uint8Array.from` with a function takes forty times as long.
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) {
    bytes[i] = binary.charCodeAt(i);
  }
  return bytes;
}
