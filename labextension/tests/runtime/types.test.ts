/**
 * The declarations shipped beside `static/runtime/index.js`, as a page's author uses them.
 */
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const RUNTIME = fileURLToPath(
  new URL('../../../jupyterlite_browsergrad/labextension/static/runtime/index.js', import.meta.url),
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

/** Each of these lines is right. */
const FINE = [
  "const packages: readonly string[] = ['numpy']; await createSession({ pyodideIndexURL: '/p/', packages, jsModules: [] as const });",
  "await createSession({ pyodideIndexURL: '/p/', worker: () => new Worker('/w.js') });",
  "await createSession({ pyodideIndexURL: '/p/', worker: new Worker('/w.js') });",
  "await s.exec({ code: '', timeoutMs: null }); await s.exec({ code: '', timeoutMs: Infinity });",
  'const done: Promise<void> = s.dispose(); await done;',
  'const fs: SessionFS & SessionFiles = s.fs; await fs.read("/a");',
  "const progress = (event: PackageProgressEvent): string => event.package; await createSession({ pyodideIndexURL: '/p/', onPackageProgress: progress });",
  'const error: ExecError | null = (await s.exec({ code: "" })).error; if (error) { const kind: ExecErrorKind = error.kind; }',
  "const all: Assertion[] = [{ kind: 'pass', name: 'a' } satisfies AssertionPass, { kind: 'fail', name: 'a', message: '' } satisfies AssertionFail, { kind: 'error', name: 'a', message: '' } satisfies AssertionError];",
  "const log: ArtifactLog = { kind: 'log', name: 'a', data: 'ok' }; const json: ArtifactJson = { kind: 'json', name: 'a', data: {} }; const image: ArtifactImage = { kind: 'image', name: 'a', mime: 'image/png', dataBase64: '' }; const of: Artifact[] = [log, json, image];",
  "function level(log: ArtifactLog): 'info' | 'warn' | 'error' { return log.level ?? 'info'; }",
  "const parsed: ManifestParseResult = parseManifest({}); if (!parsed.ok) { const lines: string[] = parsed.errors; const paths = parsed.details.map(({ path }) => path); lines.join('; '); }",
  "const mismatch = new LabRuntimeMismatch('^0.8.0', '0.9.0'); const both: string = mismatch.manifestPin + mismatch.runtimeVersion + mismatch.required + mismatch.actual;",
  "const plain: Error = new BrowsergradError('text'); const coded = new BrowsergradError('busy', 'text', { cause: plain });",
  `class Mock implements Session {
     readonly canInterrupt = true;
     readonly fs: SessionFS = { write: async () => {}, read: async () => '', readBytes: async () => new Uint8Array() };
     async exec({ code }: ExecOptions): Promise<ExecResult> {
       return { ok: true, stdout: code, stderr: '', assertions: [], artifacts: [], error: null, durationMs: 0 };
     }
     interrupt(): void {}
     async clearNamespace(): Promise<void> {}
     async dispose(): Promise<void> {}
   }
   const mock: Session = new Mock();`,
];

/** Wrong lines, and the errors that the compiler finds in them. */
const WRONG: [string, string][] = [
  ['await createSession({});', 'pyodideIndexURL'],
  ['await s.exec({ timeoutMs: 1 });', 'code'],
  ["await s.exec({ code: '', signal: new AbortController() });", 'AbortController'],
  ["await createSession({ pyodideIndexURL: '/p/', worker: '/w.js' });", 'Worker'],
  ["const log: ArtifactLog = { kind: 'log', name: 'a', level: 'fatal', data: 1 };", 'fatal'],
];
const NAMES =
  'Artifact, ArtifactImage, ArtifactJson, ArtifactLog, Assertion, AssertionError, AssertionFail, AssertionPass, ExecError, ExecErrorKind, ExecOptions, ManifestParseResult, PackageProgressEvent, SessionFS, SessionFiles';
const DECLARED = 'declare const s: Session;';

/** Parsed once: the compiler's own declarations are long. */
const parsed = new Map<string, ts.SourceFile | undefined>();

function problems(code: string, resolution: 'bundler' | 'nodenext'): string[] {
  const file = '/page.mts';
  const from = JSON.stringify(RUNTIME);
  const source = `import { BrowsergradError, createSession, LabRuntimeMismatch, parseManifest, type ExecResult, type Session } from ${from};
import type { ${NAMES} } from ${from};
${code}`;
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipDefaultLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    types: [],
    ...(resolution === 'bundler'
      ? { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }
      : { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext }),
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists, readFile } = host;
  host.getSourceFile = (name, ...rest) => {
    if (name === file) {
      return ts.createSourceFile(name, source, ts.ScriptTarget.ES2022);
    }
    const key = `${resolution} ${name}`;
    if (!parsed.has(key)) {
      parsed.set(key, getSourceFile.call(host, name, ...rest));
    }
    return parsed.get(key);
  };
  host.fileExists = name => name === file || fileExists(name);
  host.readFile = name => (name === file ? source : readFile(name));
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(found => ts.flattenDiagnosticMessageText(found.messageText, '\n'));
}

// The compiler takes seconds, and many seconds on a busy machine.
describe('the types of the standalone runtime', { timeout: 120_000 }, () => {
  it.each(['bundler', 'nodenext'] as const)('describe what a page may do (%s)', resolution => {
    expect(problems(GOOD, resolution)).toEqual([]);
  });

  it('name everything that pages write down', () => {
    const blocks = FINE.map(line => `async () => { ${line} };`);
    expect(problems([DECLARED, ...blocks].join('\n'), 'bundler')).toEqual([]);
  });

  it('refuse what it may not', () => {
    for (const [line, named] of WRONG) {
      expect(problems(`${DECLARED}\n${line}`, 'bundler').join(), line).toContain(named);
    }
  });
});
