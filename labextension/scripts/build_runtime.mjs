// Bundles the runtime, its worker and the server's host as self-contained ES modules.
import { readFile } from 'node:fs/promises';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url);
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));

await build({
  absWorkingDir: root.pathname,
  entryPoints: { index: 'src/runtime/index.ts', worker: 'src/runtime/worker/main.ts', server: 'src/server/host.ts' },
  outdir: '../jupyterlite_browsergrad/labextension/static/runtime',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'inline',
  define: { BROWSERGRAD_VERSION: JSON.stringify(version) },
  logLevel: 'warning',
});
