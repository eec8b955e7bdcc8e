// An esbuild plugin: `import bytes from './x.wat'` gives the assembled WebAssembly module, a Uint8Array.
// `./x.wat?unshared` is the same module with memory that is not shared, for engines that have no shared memory.
import { readFile } from 'node:fs/promises';
import initialize from 'wabt';

/** The bytes of the module that a file in WebAssembly's text format describes. `path` may end in `?unshared`. */
export async function assemble(path) {
  const [file, variant] = path.split('?');
  const text = await readFile(file, 'utf8');
  const wabt = await initialize();
  const features = { threads: true }; // shared memory
  const module = wabt.parseWat(file, variant === 'unshared' ? text.replace(' shared)', ')') : text, features);
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
    build.onLoad({ filter: /\.wat$/ }, async ({ path, suffix }) => ({
      contents: await assemble(path + suffix),
      loader: 'binary',
    }));
  },
};
