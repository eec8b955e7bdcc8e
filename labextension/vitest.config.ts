import { defineConfig } from 'vitest/config';

// Only what hangs takes so long: the limits hold on a machine that is busy with much else.
export default defineConfig({ test: { testTimeout: 120_000, hookTimeout: 120_000 } });
