import { defineConfig } from 'vitest/config';

import { assemble } from './scripts/wat.mjs';
import { DECODER, packedDecoder } from './scripts/zstd.mjs';

/** As in the runtime's build, `import bytes from './x.wat'` gives the assembled module. */
const wat = {
  name: 'wat',
  enforce: 'pre' as const,
  async load(id: string) {
    return /\.wat(\?unshared)?$/.test(id) ? `export default Uint8Array.from([${(await assemble(id)).join()}])` : null;
  },
};

/** As in the runtime's build, `import text from 'zstd-decoder.wasm'` gives the packed decoder. */
const zstd = {
  name: 'zstd',
  enforce: 'pre' as const,
  resolveId: (id: string) => (id === DECODER ? `\0${DECODER}` : null),
  load: async (id: string) =>
    id === `\0${DECODER}` ? `export default ${JSON.stringify(await packedDecoder())}` : null,
};

// Only what hangs takes so long: the limits hold on a machine that is busy with much else.
export default defineConfig({ plugins: [wat, zstd], test: { testTimeout: 120_000, hookTimeout: 120_000 } });
