// An esbuild plugin: `import text from 'zstd-decoder.wasm'` gives the decoder of the npm package zstddec, a WebAssembly module, as
// gzip in base64. The package's own JavaScript is not used: it never ends if a file is damaged.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';

export const DECODER = 'zstd-decoder.wasm';

/** The module's bytes as gzip, in base64. */
export async function packedDecoder() {
  const source = await readFile(createRequire(import.meta.url).resolve('zstddec/stream'), 'utf8');
  const found = /"(AGFzbQ[\w+/]+=*)"/.exec(source);
  if (!found) {
    throw new Error('zstddec has changed: it holds no WebAssembly in base64');
  }
  return gzipSync(Buffer.from(found[1], 'base64'), { level: 9 }).toString('base64');
}

export const zstd = {
  name: 'zstd',
  setup(build) {
    build.onResolve({ filter: new RegExp(`^${DECODER}$`) }, ({ path }) => ({ path, namespace: 'zstd' }));
    build.onLoad({ filter: /./, namespace: 'zstd' }, async () => ({ contents: await packedDecoder(), loader: 'text' }));
  },
};
