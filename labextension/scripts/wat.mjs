// An esbuild plugin: `import bytes from './x.wat'` gives the assembled WebAssembly module, a Uint8Array.
import { readFile } from 'node:fs/promises';
import initialize from 'wabt';

/** The bytes of the module that a file in WebAssembly's text format describes. */
export async function assemble(path) {
  const wabt = await initialize();
  const features = { threads: true }; // shared memory
  const module = wabt.parseWat(path, await readFile(path, 'utf8'), features);
  try {
    module.validate(features);
    return module.toBinary({}).buffer;
  } finally {
    module.destroy();
  }
}

export const wat = {
  name: 'wat',
  setup(build) {
    build.onLoad({ filter: /\.wat$/ }, async ({ path }) => ({ contents: await assemble(path), loader: 'binary' }));
  },
};
