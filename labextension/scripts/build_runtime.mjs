// Bundles the runtime, its worker and the server's host as self-contained ES modules; the runtime's types beside it.
import { readFile, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { decoders } from './decoders.mjs';
import { wat } from './wat.mjs';

const root = new URL('..', import.meta.url);
const target = new URL('../jupyterlite_browsergrad/labextension/static/runtime/', root);
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8'));

await build({
  absWorkingDir: root.pathname,
  entryPoints: { index: 'src/runtime/index.ts', worker: 'src/runtime/worker/main.ts', server: 'src/server/host.ts' },
  outdir: '../jupyterlite_browsergrad/labextension/static/runtime',
  bundle: true,
  minifySyntax: true,
  minifyWhitespace: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'inline',
  define: { BROWSERGRAD_VERSION: JSON.stringify(version) },
  plugins: [wat, decoders],
  logLevel: 'warning',
});

// The declarations that `tsc` made of index.ts, and those they import.
const waiting = ['index'];
const copied = new Set();
while (waiting.length) {
  const name = waiting.pop();
  if (copied.has(name)) {
    continue;
  }
  copied.add(name);
  const text = await readFile(new URL(`lib/runtime/${name}.d.ts`, root), 'utf8');
  // With their ending, such paths resolve in every mode of the compiler.
  await writeFile(new URL(`${name}.d.ts`, target), text.replace(/(from '\.\/[\w/]+)'/g, "$1.js'"));
  waiting.push(...Array.from(text.matchAll(/from '\.\/([\w/]+)'/g), found => found[1]));
}
