/** Packages that the site has as packs are loaded from them, and Pyodide loads all others. */
import { gzipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { crc32 } from '../../src/runtime/crc32';
import type { FromWorker } from '../../src/runtime/protocol';
import { AbortableLoads, INTERRUPTED } from '../../src/runtime/worker/abortable_loads';
import { DeferredAssets } from '../../src/runtime/worker/deferred_assets';
import { Packages } from '../../src/runtime/worker/packages';
import type { LoadOptions, Pyodide } from '../../src/runtime/worker/pyodide';

const INDEX = 'https://a.example/pyodide/';
const text = new TextEncoder();
/** An empty WebAssembly module. */
const WASM = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);

function pack(files: Record<string, Uint8Array | string>): Uint8Array {
  const listed: [string, number, number][] = [];
  const content: number[] = [];
  for (const [name, data] of Object.entries(files)) {
    const bytes = typeof data === 'string' ? text.encode(data) : data;
    listed.push([name, content.length, bytes.length]);
    content.push(...bytes);
  }
  const header = text.encode(JSON.stringify({ files: listed }));
  const whole = new Uint8Array([0, 0, 0, 0, ...header, ...content]);
  new DataView(whole.buffer).setUint32(0, header.length, true);
  return whole;
}

interface Node {
  contents?: Uint8Array;
  usedBytes?: number;
}

async function make(old = false) {
  const served = new Map<string, Uint8Array>();
  const add = async (name: string, content: Uint8Array): Promise<object> => {
    const bytes = gzipSync(content);
    served.set(`${INDEX}${name}`, bytes);
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource));
    const sha256 = Array.from(digest, byte => byte.toString(16).padStart(2, '0')).join('');
    return { file: name, sha256, size: bytes.length, crc32: crc32(content) };
  };
  const source = 'def f(): ...';
  const later = pack({ 'fast/a.py': source });
  const index = JSON.stringify([['fast/a.py', later.length - source.length, source.length]]);
  const packs = {
    now: await add(
      'packs/fast.pack.gz',
      pack({ '.later.json': index, 'fast/a.pyc': 'bytecode', 'fast/_c.so': WASM, '/etc/fast.conf': 'conf' }),
    ),
    later: await add('packs/fast.later.pack.gz', later),
  };
  const entry = { sha256: '', install_dir: 'site', version: '1.0' };
  const locked = {
    fast: { ...entry, name: 'fast', file_name: 'fast.whl', depends: ['plain'], packs },
    plain: { ...entry, name: 'plain', file_name: 'plain.whl', depends: [] },
  };
  /** Where it is set, the server answers only when this has settled. */
  const server = { answers: null as Promise<void> | null };
  vi.stubGlobal('fetch', async (url: string, init?: RequestInit) => {
    await server.answers;
    init?.signal?.throwIfAborted();
    const bytes = served.get(url);
    return bytes ? new Response(bytes as BodyInit) : new Response('', { status: 404 });
  });
  const nodes = new Map<string, Node>();
  const read: string[] = [];
  const posted: FromWorker[] = [];
  const byPyodide: string[][] = [];
  const linked: unknown[][] = [];
  const module = {
    preloadedWasm: {} as Record<string, unknown>,
    loadWebAssemblyModule: (...args: unknown[]) => linked.push(args),
  };
  const pyodide = {
    loadedPackages: {} as Record<string, string>,
    _module: old ? module : {},
    _api: { lockfile_packages: locked, _import_name_to_package_name: new Map([['f', 'fast']]) },
    runPython: () => '3.14.2 (main)',
    pyimport: () => ({
      find_imports: () => ({ toJs: () => ['f', 'os'], destroy: () => undefined }),
      files_were_added: () => undefined,
    }),
    FS: {
      mkdirTree: () => undefined,
      lookupPath: (path: string) => ({ node: path }),
      readFile: (path: string) => read.push(path) && text.encode('file'),
      ErrnoError: Error,
      filesystems: {
        MEMFS: {
          createNode: (parent: string, name: string) => {
            const node: Node = {};
            nodes.set(`${parent}/${name}`, node);
            return node;
          },
        },
      },
    },
    loadPackage: async (names: string[], { messageCallback }: LoadOptions) => {
      byPyodide.push(names);
      messageCallback?.('Loading plain');
      pyodide.loadedPackages.plain = 'default channel';
      messageCallback?.('Loaded plain');
      return [{ name: 'plain' }];
    },
    loadPackagesFromImports: async () => [],
  };
  const loads = new AbortableLoads(() => 1);
  const post = (message: FromWorker): void => void posted.push(message);
  const deferred = new DeferredAssets([], post);
  const lock = { info: { python: '3.14.2' }, packages: locked };
  const packages = new Packages(pyodide as unknown as Pyodide, INDEX, lock, {}, loads, post, deferred);
  const progress = () =>
    posted.flatMap(one => (one.type === 'package' ? [[one.progress.package, one.progress.status]] : []));
  return {
    byPyodide,
    deferred,
    linked,
    loads,
    module,
    nodes,
    packages,
    posted,
    progress,
    pyodide,
    read,
    served,
    server,
  };
}

const SITE = '/lib/python3.14/site-packages';

describe('a package that the site has as packs', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout'] }));
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is loaded from them, and what it depends on by Pyodide', async () => {
    const { byPyodide, nodes, packages, progress, pyodide } = await make();
    await packages.load(['fast']);
    expect(pyodide.loadedPackages).toEqual({ fast: 'default channel', plain: 'default channel' });
    expect(byPyodide).toEqual([['plain']]);
    expect(progress()).toEqual([
      ['fast', 'loading'],
      ['fast', 'loaded'],
      ['plain', 'loading'],
      ['plain', 'loaded'],
    ]);
    expect([...nodes.keys()].sort()).toEqual([
      '/etc/fast.conf',
      `${SITE}/fast/_c.so`,
      `${SITE}/fast/a.py`,
      `${SITE}/fast/a.pyc`,
    ]);
    expect(new TextDecoder().decode(nodes.get(`${SITE}/fast/a.pyc`)!.contents)).toBe('bytecode');
  });

  it('is loaded once, also if several cells ask at the same time', async () => {
    const { byPyodide, packages } = await make();
    const fetched = vi.spyOn(globalThis, 'fetch');
    await Promise.all([packages.load(['fast']), packages.load(['fast']), packages.loadImports('import f')]);
    expect(fetched.mock.calls.filter(([url]) => String(url).endsWith('/fast.pack.gz'))).toHaveLength(1);
    expect(byPyodide.flat()).not.toContain('fast');
  });

  it('has its sources when the page has fetched them', async () => {
    const { deferred, nodes, packages, posted, served } = await make();
    await packages.load(['fast']);
    deferred.askSoon();
    deferred.askSoon();
    vi.runAllTimers();
    const url = `${INDEX}packs/fast.later.pack.gz`;
    expect(posted.filter(one => one.type === 'fetch')).toEqual([{ type: 'fetch', url }]);
    deferred.take(url, served.get(url)!);
    const node = nodes.get(`${SITE}/fast/a.py`)!;
    expect(new TextDecoder().decode(node.contents)).toBe('def f(): ...');
    expect(node.usedBytes).toBe(12);
  });

  it('gives its libraries to the linker as they were compiled', async () => {
    const { packages, pyodide, read } = await make();
    await packages.load(['fast']);
    const readFile = pyodide.FS.readFile as (path: string, options?: object) => unknown;
    const path = `${SITE}/fast/_c.so`;
    expect(readFile(path)).toBeInstanceOf(Uint8Array); // not the linker
    expect(readFile(path, { encoding: 'binary' })).toBeInstanceOf(WebAssembly.Module);
    expect(readFile(path, { encoding: 'binary' })).toBeInstanceOf(Uint8Array); // once only
    expect(read).toEqual([path, path]);
  });

  it('gives its libraries to the linker of Pyodide 0.27 when they are looked up', async () => {
    const { linked, module, packages } = await make(true);
    await packages.load(['fast']);
    const path = `${SITE}/fast/_c.so`;
    expect(linked).toEqual([]);
    expect(module.preloadedWasm[path]).toBeDefined();
    expect(linked).toEqual([[expect.any(WebAssembly.Module), expect.objectContaining({ global: false }), path, {}]]);
  });

  it('lies ready when a cell imports it, and until then Python sees nothing of it', async () => {
    const { nodes, packages, posted, progress, pyodide } = await make(true);
    const fetched = vi.spyOn(globalThis, 'fetch');
    await packages.layReady(['f', 'os', 'unknown']);
    expect([nodes.size, pyodide.loadedPackages, progress()]).toEqual([0, {}, []]);
    expect(posted).toContainEqual({ type: 'log', level: 'info', text: 'Fetched ahead of their import: fast' });
    await packages.layReady(['f']);
    await packages.load(['fast']);
    expect(nodes.size).toBe(4);
    expect(fetched.mock.calls.filter(([url]) => String(url).endsWith('/fast.pack.gz'))).toHaveLength(1);
    await packages.layReady(['f']);
    expect(fetched.mock.calls.filter(([url]) => String(url).endsWith('/fast.pack.gz'))).toHaveLength(1);
  });

  it('lies ready also where Python cannot be suspended', async () => {
    const { nodes, packages } = await make(true);
    await packages.layReady(['f']);
    expect(packages.loadNow('fast')).toBe(true); // without XMLHttpRequest it could not be read now
    expect(nodes.size).toBe(4);
  });

  it('is fetched by the import if it could not be fetched ahead', async () => {
    const { packages, posted, pyodide, served } = await make();
    const name = `${INDEX}packs/fast.pack.gz`;
    const bytes = served.get(name)!;
    served.delete(name);
    await packages.layReady(['f']);
    expect(posted).toContainEqual(
      expect.objectContaining({ type: 'log', text: expect.stringContaining('fast.pack.gz is missing') }),
    );
    served.set(name, bytes);
    await packages.load(['fast']);
    expect('fast' in pyodide.loadedPackages).toBe(true);
  });

  it('keeps no interrupted cell waiting while it is being fetched ahead', async () => {
    const { loads, packages, pyodide, server } = await make();
    let answer!: () => void;
    server.answers = new Promise(resolve => (answer = resolve));
    const ahead = packages.layReady(['f']);
    const cell = packages.load(['fast']);
    await Promise.resolve();
    loads.abort(1);
    await expect(cell).rejects.toThrow(INTERRUPTED);
    answer();
    await ahead;
    expect('fast' in pyodide.loadedPackages).toBe(false);
    await packages.load(['fast']);
    expect('fast' in pyodide.loadedPackages).toBe(true);
  });

  it('that is damaged is an error that names the file', async () => {
    const { packages, progress, pyodide, served } = await make();
    const name = `${INDEX}packs/fast.pack.gz`;
    served.set(name, served.get(name)!.slice(0, -9));
    await expect(packages.load(['fast'])).rejects.toThrow(/fast could not be loaded: .*fast\.pack\.gz is damaged/);
    expect(progress().at(-1)).toEqual(['fast', 'failed']);
    expect('fast' in pyodide.loadedPackages).toBe(false);
  });
});
