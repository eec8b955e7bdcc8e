/**
 * Decoders that are part of the runtime's scripts.
 */
import { fromBase64 } from './base64';

/** Unpacks one file. */
interface Unpacking {
  /** @throws Error if the file is damaged. */
  push(bytes: Uint8Array): Iterable<Uint8Array<ArrayBuffer>>;
  /** @throws Error if the file has not come to its end. */
  end(): void;
}

async function compile(packed: string): Promise<WebAssembly.Module> {
  const stream = new Blob([fromBase64(packed)]).stream().pipeThrough(new DecompressionStream('gzip'));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
}

/**
 * Returns a function that makes streams which unpack. A stream fails if its file is damaged; the checksum in the file is checked.
 *
 * @param packed - the decoder, a WebAssembly module, as gzip in base64. It is compiled once.
 * @param make - gets the exports of an instance for one file.
 */
export function unpackingStreams<Decoder>(
  packed: string,
  imports: WebAssembly.Imports,
  make: (decoder: Decoder) => Unpacking,
): () => TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  let compiling: Promise<WebAssembly.Module> | undefined;
  return () => {
    let unpacking: Unpacking;
    return new TransformStream({
      async start() {
        compiling ??= compile(packed);
        const { exports } = await WebAssembly.instantiate(await compiling, imports);
        unpacking = make(exports as Decoder);
      },
      transform(chunk, controller) {
        for (const part of unpacking.push(chunk)) {
          controller.enqueue(part);
        }
      },
      flush() {
        unpacking.end();
      },
    });
  };
}
