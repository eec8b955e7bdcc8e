// What the TypeScript rules say: a request of JSON on each line of stdin, its answer on a line of stdout.
// {"text"} or {"value"}: a manifest; {"pin", "version"}: whether they fit.
import { createInterface } from 'node:readline';
import { build } from 'esbuild';

const { outputFiles } = await build({
  absWorkingDir: new URL('..', import.meta.url).pathname,
  entryPoints: ['src/runtime/manifest.ts'],
  bundle: true,
  format: 'esm',
  write: false,
});
const code = Buffer.from(outputFiles[0].contents).toString('base64');
const { isSemverCompatible, parseManifest } = await import(`data:text/javascript;base64,${code}`);

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const answer =
    'pin' in request
      ? isSemverCompatible(request.pin, request.version)
      : parseManifest('text' in request ? request.text : request.value);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
