import { defineConfig } from 'vitest/config';

import { assemble } from './scripts/wat.mjs';

// `import bytes from './x.wat'`, as esbuild has it.
const wat = {
  name: 'wat',
  enforce: 'pre' as const,
  async load(id: string) {
    return id.endsWith('.wat') ? `export default new Uint8Array([${(await assemble(id)).join()}]);` : undefined;
  },
};

// Only what hangs takes so long: the limits hold on a machine that is busy with much else.
export default defineConfig({ plugins: [wat], test: { testTimeout: 120_000, hookTimeout: 120_000 } });
