/**
 * The declarations shipped beside `static/runtime/index.js`, as a page's author uses them.
 */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const RUNTIME = fileURLToPath(
  new URL('../../jupyterlite_browsergrad/labextension/static/runtime/index.js', import.meta.url),
);

const GOOD = `
const session: Session = await createSession({
  pyodideIndexURL: '/pyodide/',
  packages: ['numpy'],
  onPackageProgress: ({ package: name, status, message }) => console.log(name, status, message),
  jsModules: [{ name: 'page', importURL: '/page.js', exportName: 'api' }],
});
await session.fs.write('/lab/data.txt', new Uint8Array(3));
const text: string = await session.fs.read('/lab/data.txt');
const controller = new AbortController();
const result: ExecResult = await session.exec({
  code: 'x = 1', timeoutMs: 1000, signal: controller.signal,
  onStdout: chunk => chunk.length, onStderr: chunk => chunk.length,
  onAssertion: a => (a.kind === 'fail' ? a.expectedRepr : a.name),
  onArtifact: a => (a.kind === 'image' ? a.dataBase64 : a.data),
});
const kind: 'syntax' | 'runtime' | 'timeout' | 'aborted' | 'interrupted' | 'worker-crash' | undefined = result.error?.kind;
if (session.canInterrupt) session.interrupt();
await session.clearNamespace();
session.dispose();
export { text, kind };
`;

function problems(code: string, resolution: 'bundler' | 'nodenext'): string[] {
  const file = '/page.mts';
  const source = `import { createSession, type ExecResult, type Session } from ${JSON.stringify(RUNTIME)};\n${code}`;
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    types: [],
    ...(resolution === 'bundler'
      ? { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }
      : { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext }),
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (name, ...rest) =>
    name === file
      ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022)
      : getSourceFile.call(host, name, ...rest);
  host.fileExists = name => name === file || fileExists(name);
  host.readFile = name => (name === file ? source : readFile(name));
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(found => ts.flattenDiagnosticMessageText(found.messageText, '\n'));
}

describe('the types of the standalone runtime', () => {
  it.each(['bundler', 'nodenext'] as const)('describe what a page may do (%s)', resolution => {
    expect(problems(GOOD, resolution)).toEqual([]);
  });

  it('refuse what it may not', () => {
    expect(problems('await createSession({});', 'bundler').join()).toContain('pyodideIndexURL');
    expect(problems(`${GOOD}\nawait session.exec({ timeoutMs: 1 });`, 'bundler').join()).toContain('code');
  });
});
