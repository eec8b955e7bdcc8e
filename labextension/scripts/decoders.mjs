// Decoders of npm packages, for the builds of runtime and tests: `import text from 'zstd-decoder.wasm'` gives such a WebAssembly module as gzip in
// base64. The packages' own JavaScript is not used: zstddec's never ends if a file is damaged, and xz-decompress's unpacks one file at a time.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

const DECODERS = { 'zstd-decoder.wasm': 'zstddec/stream', 'xz-decoder.wasm': 'xz-decompress' };

export const isDecoder = name => Object.hasOwn(DECODERS, name);

/** The module's bytes as gzip, in base64. */
export async function packedDecoder(name) {
  const source = await readFile(createRequire(import.meta.url).resolve(DECODERS[name]), 'utf8');
  const found = /["',](AGFzbQ[\w+/]+=*)["']/.exec(source);
  if (!found) {
    throw new Error(`${DECODERS[name]} has changed: it holds no WebAssembly in base64`);
  }
  return gzipSync(Buffer.from(found[1], 'base64'), { level: 9 }).toString('base64');
}

/** The plugin of esbuild. */
export const decoders = {
  name: 'decoders',
  setup(build) {
    build.onResolve({ filter: /^[a-z]+-decoder\.wasm$/ }, ({ path }) => ({ path, namespace: 'decoders' }));
    build.onLoad({ filter: /./, namespace: 'decoders' }, async ({ path }) => ({
      contents: await packedDecoder(path),
      loader: 'text',
    }));
  },
};
