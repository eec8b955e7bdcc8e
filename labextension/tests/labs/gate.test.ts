/** A notebook runs only if it is certain that it may run. */
import { describe, expect, it, vi } from 'vitest';

import { besideFile, LabGate, type LabFiles } from '../../src/labs/gate';

const MANIFEST = {
  id: 'one',
  version: '1.0.0',
  requires_browsergrad: '^0.8.0',
  required_ops: [],
  rubric_path: 'rubric.py',
  starter_path: 'starter.py',
  reference_path: 'reference.py',
};

class Files implements LabFiles {
  readonly stored = new Map<string, string | Uint8Array | Error>();
  readonly open = new Map<string, unknown>();
  readonly reads: string[] = [];
  /** Until this promise is settled, no request is answered. */
  hold: Promise<void> = Promise.resolve();

  async read(path: string): Promise<Uint8Array | null> {
    this.reads.push(path);
    const found = this.stored.get(path) ?? null;
    await this.hold;
    if (found instanceof Error) {
      throw found;
    }
    return typeof found === 'string' ? new TextEncoder().encode(found) : found;
  }

  async metadata(path: string): Promise<unknown> {
    const bytes = await this.read(path);
    return bytes ? JSON.parse(new TextDecoder().decode(bytes)) : undefined;
  }

  openMetadata(path: string): { value: unknown } | undefined {
    return this.open.has(path) ? { value: this.open.get(path) } : undefined;
  }
}

function make(version = '0.8.1', readMs?: number) {
  const files = new Files();
  return { files, gate: new LabGate(files, version, readMs) };
}

const pinned = (requires_browsergrad: string): string => JSON.stringify({ ...MANIFEST, requires_browsergrad });

describe('what a notebook is', () => {
  it('is ordinary without a manifest', async () => {
    const { gate } = make();
    expect(await gate.check('a/nb.ipynb')).toEqual({ kind: 'ordinary' });
  });

  it('is of the lab whose manifest lies beside it', async () => {
    const { gate, files } = make();
    files.stored.set('a/manifest.json', JSON.stringify(MANIFEST));
    expect(await gate.check('a/nb.ipynb')).toMatchObject({
      kind: 'lab',
      lab: { path: 'a/manifest.json', manifest: { id: 'one' } },
    });
    expect(await gate.check('nb.ipynb')).toEqual({ kind: 'ordinary' });
    expect(await gate.check('a/b/nb.ipynb')).toEqual({ kind: 'ordinary' });
  });

  it.each(['^0.9.0', '~0.8.99', '1.0.0'])('is refused for the pin %s', async pin => {
    const { gate, files } = make();
    files.stored.set('manifest.json', pinned(pin));
    expect(await gate.check('nb.ipynb')).toMatchObject({
      kind: 'refused',
      refusal: { message: `lab requires ${pin}, runtime is 0.8.1` },
    });
  });

  it('is refused by a runtime whose own version cannot be read', async () => {
    const { gate, files } = make('main');
    files.stored.set('manifest.json', pinned('0.8.1'));
    expect(await gate.check('nb.ipynb')).toMatchObject({ kind: 'refused' });
  });

  it.each<[string, string | Uint8Array, string]>([
    ['not JSON', '{', '(document): is not JSON'],
    ['empty', '', '(document): is not JSON'],
    ['with a byte order mark', `\ufeff${JSON.stringify(MANIFEST)}`, '(document): is not JSON'],
    ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'it is not UTF-8'],
    ['of 10 MB', `"${'x'.repeat(10_000_000)}"`, '(document): has 10000002 bytes'],
    [
      'with a doubled key',
      JSON.stringify(MANIFEST).replace('{', '{"id":"two",'),
      '/id: the key "id" comes more than once',
    ],
    ['with several errors', JSON.stringify({ ...MANIFEST, id: 'A', extra: 1 }), '/extra: there is no field "extra"'],
  ])('is refused with a manifest %s', async (_, text, message) => {
    const { gate, files } = make();
    files.stored.set('a/manifest.json', text);
    const verdict = await gate.check('a/nb.ipynb');
    expect(verdict.kind).toBe('refused');
    const { refusal } = verdict as Extract<typeof verdict, { kind: 'refused' }>;
    expect(refusal.message).toContain('a/manifest.json is invalid');
    expect(refusal.message).toContain(message);
    expect(refusal.errors.length).toBeGreaterThan(0);
  });
});

describe('a manifest named by the metadata', () => {
  it('counts in place of the one beside the notebook', async () => {
    const { gate, files } = make();
    files.stored.set('a/manifest.json', '{}');
    files.stored.set('a/labs/one.json', JSON.stringify(MANIFEST));
    files.stored.set('a/nb.ipynb', '{"manifest": "./labs//one.json"}');
    expect(await gate.check('a/nb.ipynb')).toMatchObject({ kind: 'lab', lab: { path: 'a/labs/one.json' } });
  });

  it('is that of the open notebook, saved or not', async () => {
    const { gate, files } = make();
    files.stored.set('one.json', JSON.stringify(MANIFEST));
    files.open.set('nb.ipynb', { timeout_ms: 5 });
    expect(await gate.check('nb.ipynb')).toEqual({ kind: 'ordinary' });
    files.open.set('nb.ipynb', { manifest: 'one.json' });
    expect(await gate.check('nb.ipynb')).toMatchObject({ kind: 'lab' });
  });

  it.each([
    [{ manifest: 'gone.json' }, 'names the lab manifest gone.json, which does not exist'],
    [{ manifest: '../manifest.json' }, 'leaves the folder by ..'],
    [{ manifest: '%2e%2e/manifest.json' }, 'leaves the folder by ..'],
    [{ manifest: '/manifest.json' }, 'is absolute'],
    [{ manifest: 'https://example.org/manifest.json' }, 'has a scheme'],
    [{ manifest: 'a\\b.json' }, 'holds a backslash'],
    [{ manifest: 1 }, 'must be a string'],
    [{ manifest: null }, 'must be a string'],
  ])('%j is refused', async (metadata, message) => {
    const { gate, files } = make();
    files.open.set('nb.ipynb', metadata);
    const verdict = await gate.check('nb.ipynb');
    expect(verdict).toMatchObject({ kind: 'refused', refusal: { message: expect.stringContaining(message) } });
  });
});

describe('what cannot be found out', () => {
  it.each(['nb.ipynb', 'manifest.json'])('refuses when %s fails to be read, and asks again', async name => {
    const { gate, files } = make();
    files.stored.set(name, new Error('the server answered 500'));
    const verdict = await gate.check('nb.ipynb');
    expect(verdict).toMatchObject({ kind: 'refused', refusal: { message: expect.stringContaining('answered 500') } });
    files.stored.delete(name);
    expect(await gate.check('nb.ipynb')).toEqual({ kind: 'ordinary' });
  });

  it('refuses when it takes too long', async () => {
    const { gate, files } = make('0.8.1', 5);
    files.hold = new Promise(() => undefined);
    expect(await gate.check('nb.ipynb')).toMatchObject({
      kind: 'refused',
      refusal: { message: expect.stringContaining('did not come within') },
    });
  });
});

describe('changes', () => {
  it('are seen: of the manifest, the notebook, a folder above', async () => {
    const { gate, files } = make();
    const changed = vi.fn();
    gate.changed.connect(changed);
    expect(await gate.check('a/nb.ipynb')).toEqual({ kind: 'ordinary' });
    files.stored.set('a/manifest.json', pinned('^0.9.0'));
    gate.fileChanged('a/other.txt');
    expect(changed).not.toHaveBeenCalled();
    expect(await gate.check('a/nb.ipynb')).toEqual({ kind: 'ordinary' });
    gate.fileChanged('a/manifest.json');
    expect(changed).toHaveBeenCalledTimes(1);
    expect(await gate.check('a/nb.ipynb')).toMatchObject({ kind: 'refused' });
    files.stored.set('a/manifest.json', pinned('^0.8.0'));
    gate.fileChanged('a');
    expect(await gate.check('a/nb.ipynb')).toMatchObject({ kind: 'lab' });
    files.stored.set('a/nb.ipynb', '{"manifest": "gone.json"}');
    gate.fileChanged('a/nb.ipynb');
    expect(await gate.check('a/nb.ipynb')).toMatchObject({ kind: 'refused' });
  });

  it('while a manifest is on its way make it be read again', async () => {
    const { gate, files } = make();
    let release!: () => void;
    files.open.set('nb.ipynb', undefined);
    files.hold = new Promise(resolve => {
      release = resolve;
    });
    const verdict = gate.check('nb.ipynb');
    await vi.waitFor(() => expect(files.reads).toEqual(['manifest.json']));
    files.stored.set('manifest.json', pinned('1.0.0'));
    gate.fileChanged('manifest.json');
    release();
    expect(await verdict).toMatchObject({ kind: 'refused' });
  });

  it('are the only reason to read twice', async () => {
    const { gate, files } = make();
    await Promise.all([gate.check('nb.ipynb'), gate.check('nb.ipynb'), gate.check('other.ipynb')]);
    await gate.check('nb.ipynb');
    expect(files.reads.sort()).toEqual(['manifest.json', 'nb.ipynb', 'other.ipynb']);
  });
});

it('refuses for all notebooks of a kernel when one is refused', async () => {
  const { gate, files } = make();
  files.stored.set('a/manifest.json', JSON.stringify(MANIFEST));
  files.stored.set('b/manifest.json', '{}');
  expect(await gate.checkAll(['nb.ipynb', 'a/nb.ipynb'])).toMatchObject({ kind: 'lab' });
  expect(await gate.checkAll(['nb.ipynb', 'a/nb.ipynb', 'b/nb.ipynb'])).toMatchObject({ kind: 'refused' });
});

it.each([
  ['nb.ipynb', 'm'],
  ['a/nb.ipynb', 'a/m'],
  ['RTC:nb.ipynb', 'RTC:m'],
  ['RTC:a/nb.ipynb', 'RTC:a/m'],
  ['a/12:30.ipynb', 'a/m'],
  ['a/', 'a/m'],
  ['', 'm'],
])('finds what lies beside %j', (path, expected) => {
  expect(besideFile(path, 'm')).toBe(expected);
});
