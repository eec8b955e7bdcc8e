/** The first files that a start reads, by addresses with and without a version. */
import { createHash } from 'node:crypto';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { readLock, readManifest } from '../../src/runtime/boot_assets';

const FOLDER = 'https://lab.example/kernel/';
const FILE = { file: 'a', sha256: 'b', size: 1, crc32: 2 };
const MANIFEST = JSON.stringify({ version: '1', packs: { site: FILE } });
const LOCK = JSON.stringify({ info: { python: '3.14.0' }, packages: {} });
const versionOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

describe('files of known versions', () => {
  /** What the browser or the server has at each address. */
  let answers: Record<string, string>;
  const fetch = vi.fn(async (url: string, _init?: RequestInit) =>
    url in answers ? new Response(answers[url]) : new Response('', { status: 404 }),
  );
  const asked = (): [string, RequestCache | undefined][] =>
    fetch.mock.calls.map(([url, init]) => [url.replace(FOLDER, ''), init?.cache]);

  beforeEach(() => void vi.stubGlobal('fetch', fetch));
  afterEach(() => {
    vi.unstubAllGlobals();
    fetch.mockClear();
  });

  it('come from the browser, which need not ask the site', async () => {
    const version = versionOf(MANIFEST);
    answers = { [`${FOLDER}manifest.json?v=${version}`]: MANIFEST };
    expect(await readManifest(FOLDER, { manifest: version })).toEqual(JSON.parse(MANIFEST));
    expect(asked()).toEqual([[`manifest.json?v=${version}`, 'force-cache']]);
  });

  it('come from the site if the browser has another version at the address', async () => {
    const version = versionOf(LOCK);
    answers = { [`${FOLDER}pyodide-lock.json?v=${version}`]: '{}', [`${FOLDER}pyodide-lock.json`]: LOCK };
    expect(await readLock(FOLDER, { lock: version })).toEqual(JSON.parse(LOCK));
    expect(asked()).toEqual([
      [`pyodide-lock.json?v=${version}`, 'force-cache'],
      ['pyodide-lock.json', undefined],
    ]);
  });

  it('are read although the settings are older than the site', async () => {
    answers = { [`${FOLDER}manifest.json?v=0123456789abcdef`]: MANIFEST, [`${FOLDER}manifest.json`]: MANIFEST };
    expect(await readManifest(FOLDER, { manifest: '0123456789abcdef' })).toEqual(JSON.parse(MANIFEST));
  });

  it('are asked for without a version where it is not known, or cannot be checked', async () => {
    answers = { [`${FOLDER}manifest.json`]: MANIFEST };
    await readManifest(FOLDER);
    vi.stubGlobal('crypto', {});
    await readManifest(FOLDER, { manifest: versionOf(MANIFEST) });
    expect(asked()).toEqual([
      ['manifest.json', undefined],
      ['manifest.json', undefined],
    ]);
  });

  it('are named if they are missing', async () => {
    answers = {};
    await expect(readManifest(FOLDER, { manifest: '0123456789abcdef' })).rejects.toThrow(
      `${FOLDER}manifest.json is missing from the site (HTTP 404)`,
    );
  });
});

describe('a manifest', () => {
  const snapshot = { ...FILE, core: { wasm: FILE, scripts: FILE } };
  const read = (manifest: object): Promise<unknown> => {
    vi.stubGlobal('fetch', async () => Response.json(manifest));
    return readManifest(FOLDER);
  };
  afterEach(() => vi.unstubAllGlobals());

  it('is complete with and without a snapshot', async () => {
    await read({ packs: { site: FILE } });
    await read({ packs: { site: FILE }, snapshot: FILE });
    await read({ packs: { site: FILE }, snapshot: { ...FILE, core: { wasm: FILE, scripts: FILE, rest: FILE } } });
  });

  it.each([
    { packs: {} },
    { packs: { site: { ...FILE, size: '1' } } },
    { packs: { site: FILE, jedi: { file: 'a' } } },
    { packs: { site: FILE }, snapshot: { ...snapshot, sha256: undefined } },
    { packs: { site: FILE }, snapshot: { ...snapshot, core: { wasl: FILE, scripts: FILE } } },
    { packs: { site: FILE }, snapshot: { ...snapshot, core: { ...snapshot.core, rest: {} } } },
  ])('that is damaged is named: %j', async manifest => {
    await expect(read(manifest)).rejects.toThrow(
      /manifest\.json is damaged or of another version \((an entry|it names)/,
    );
  });
});
