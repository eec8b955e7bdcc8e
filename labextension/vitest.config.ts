import { defineConfig } from 'vitest/config';

import { assemble } from './scripts/wat.mjs';

/** As in the runtime's build, `import bytes from './x.wat'` gives the assembled module. */
const wat = {
  name: 'wat',
  enforce: 'pre' as const,
  async load(id: string) {
    return id.endsWith('.wat') ? `export default Uint8Array.from([${(await assemble(id)).join()}])` : null;
  },
};

// Only what hangs takes so long: the limits hold on a machine that is busy with much else.
export default defineConfig({ plugins: [wat], test: { testTimeout: 120_000, hookTimeout: 120_000 } });
