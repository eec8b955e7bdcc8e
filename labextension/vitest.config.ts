import { defineConfig } from 'vitest/config';

import { assemble } from './scripts/wat.mjs';
import { isDecoder, packedDecoder } from './scripts/decoders.mjs';

/** As in the runtime's build, `import bytes from './x.wat'` gives the assembled module. */
const wat = {
  name: 'wat',
  enforce: 'pre' as const,
  async load(id: string) {
    return /\.wat(\?unshared)?$/.test(id) ? `export default Uint8Array.from([${(await assemble(id)).join()}])` : null;
  },
};

/** As in the runtime's build, `import text from 'zstd-decoder.wasm'` gives the packed decoder. */
const decoders = {
  name: 'decoders',
  enforce: 'pre' as const,
  resolveId: (id: string) => (isDecoder(id) ? `\0${id}` : null),
  load: async (id: string) =>
    isDecoder(id.slice(1)) ? `export default ${JSON.stringify(await packedDecoder(id.slice(1)))}` : null,
};

// Only what hangs takes so long: the limits hold on a machine that is busy with much else.
export default defineConfig({ plugins: [wat, decoders], test: { testTimeout: 120_000, hookTimeout: 120_000 } });
