/**
 * Compiles decoders that are part of the runtime's scripts.
 */
import { fromBase64 } from './base64';

/** Returns a function that compiles a decoder, gzip in base64, once. */
export function decoderModule(packed: string): () => Promise<WebAssembly.Module> {
  let compiling: Promise<WebAssembly.Module> | undefined;
  const compile = async (): Promise<WebAssembly.Module> => {
    const stream = new Blob([fromBase64(packed)]).stream().pipeThrough(new DecompressionStream('gzip'));
    return WebAssembly.compile(await new Response(stream).arrayBuffer());
  };
  return () => (compiling ??= compile());
}
