/** Pyodide loads packages, and the page learns what became of each. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { FromWorker } from '../../src/runtime/protocol';
import type { AbortableLoads } from '../../src/runtime/worker/abortable_loads';
import { DeferredAssets } from '../../src/runtime/worker/deferred_assets';
import { Packages } from '../../src/runtime/worker/packages';
import type { LoadOptions, Pyodide } from '../../src/runtime/worker/pyodide';

const INDEX = 'https://a.example/pyodide/';
const LOCKED = {
  numpy: { name: 'numpy', file_name: 'numpy.whl', sha256: '', install_dir: 'site', depends: ['blas'] },
  blas: { name: 'blas', file_name: 'blas.zip', sha256: '', install_dir: 'dynlib', depends: [] },
  pygments: { name: 'pygments', file_name: 'pygments.whl', sha256: '', install_dir: 'site', depends: [] },
};

function make(load: (options: LoadOptions) => void | Promise<void> = () => undefined) {
  const posted: FromWorker[] = [];
  const post = (message: FromWorker): void => void posted.push(message);
  const pyodide = {
    _module: {},
    FS: { readFile: () => new Uint8Array() },
    pyimport: () => ({
      find_imports: (code: string) => ({ toJs: () => code.split(' ').slice(1), destroy: () => undefined }),
    }),
    loadedPackages: { Pygments: 'pypi', other: 'pypi' } as Record<string, string>,
    _api: {
      lockfile_packages: LOCKED,
      _import_name_to_package_name: new Map([
        ['numpy', 'numpy'],
        ['pygments', 'pygments'],
      ]),
    },
    loadPackage: async (_names: string[], options: LoadOptions) => load(options),
    loadPackagesFromImports: async (_code: string, options: LoadOptions) => load(options),
  };
  const loads = { wrap: <T>(one: T): T => one } as unknown as AbortableLoads;
  const packages = new Packages(
    pyodide as unknown as Pyodide,
    INDEX,
    { info: { python: '3.14.2' }, packages: LOCKED },
    { pygments: '2.0' },
    loads,
    post,
    new DeferredAssets([], post),
  );
  const progress = () =>
    posted.flatMap(message => (message.type === 'package' ? [Object.values(message.progress).filter(Boolean)] : []));
  const logged = () => posted.flatMap(message => (message.type === 'log' ? [message.text] : []));
  return { logged, packages, progress, pyodide };
}

describe('packages', () => {
  beforeEach(() => void vi.stubGlobal('fetch', async () => new Response('')));
  afterEach(() => void vi.unstubAllGlobals());

  it('of our own are known under one name, and not offered', () => {
    const { packages, pyodide } = make();
    expect(pyodide.loadedPackages).toEqual({ other: 'pypi', pygments: 'jupyterlite-browsergrad' });
    expect([...packages.offered]).toEqual(['numpy', 'blas']);
  });

  it('are reported as Pyodide tells of them', async () => {
    const { packages, progress } = make(({ messageCallback }) => {
      messageCallback!('Loading blas, numpy');
      messageCallback!('Loaded blas');
      messageCallback!('something else');
    });
    await packages.load(['numpy']);
    expect(progress()).toEqual([
      ['blas', 'loading'],
      ['numpy', 'loading'],
      ['blas', 'loaded'],
      ['numpy', 'loaded'],
    ]);
  });

  it('that Pyodide only logs as failed are an error, with what the server says', async () => {
    vi.stubGlobal('fetch', async () => new Response('', { status: 404 }));
    const { logged, packages, progress } = make(({ messageCallback, errorCallback }) => {
      messageCallback!('Loading numpy');
      errorCallback!('TypeError: Failed to fetch');
    });
    const expected = /^numpy could not be loaded: https:\/\/a\.example\/pyodide\/numpy\.whl is missing.*HTTP 404/;
    await expect(packages.load(['numpy'])).rejects.toThrow(expected);
    expect(progress().at(-1)).toEqual(['numpy', 'failed', expect.stringMatching(expected)]);
    expect(logged()).toEqual(['TypeError: Failed to fetch']);
  });

  it('that Pyodide does not know are an error, and reported', async () => {
    const { packages, progress } = make(() => {
      throw new Error('No known package with name unknown');
    });
    await expect(packages.load(['unknown'])).rejects.toThrow('pyodide-lock.json names no package unknown');
    expect(progress()).toEqual([['unknown', 'failed', expect.stringContaining('names no package unknown')]]);
  });

  it('of imports are loaded; errors are returned, not thrown', async () => {
    const { packages } = make(({ messageCallback, errorCallback }) => {
      messageCallback!('Loading numpy');
      errorCallback!('too large');
    });
    expect(await packages.loadImports('import numpy')).toBe('numpy could not be loaded: too large');
    expect(await make().packages.loadImports('import json')).toBeNull();
  });

  it('are found by the modules they hold, until they are loaded', () => {
    const { packages, progress } = make();
    expect(['numpy', 'pygments', 'none'].map(module => packages.missingFor(module))).toEqual([
      'numpy',
      undefined,
      undefined,
    ]);
    packages.note('numpy', 'loaded');
    expect(packages.missingFor('numpy')).toBeUndefined();
    expect(progress()).toEqual([['numpy', 'loaded']]);
  });

  it('are listed after those they depend on', () => {
    const order = JSON.parse(make().packages.orderJson('numpy')) as { name: string }[];
    expect(order.map(({ name }) => name)).toEqual(['blas', 'numpy']);
  });
});
