/** The rules of lab manifests, tested with the cases that Python's tests use too. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import {
  assertCompatibleRuntime,
  isSemverCompatible,
  LabRuntimeMismatch,
  parseManifest,
} from '../../src/runtime/manifest';

interface Case {
  name: string;
  set?: Record<string, unknown>;
  remove?: string[];
  text?: [string, number][];
  errors: [string, string][];
}

interface Fixture {
  base: Record<string, unknown>;
  cases: Case[];
  versions: string[];
  satisfied: [string, string[]][];
  unreadable: [string, string][];
}

const path = new URL('../../../tests/fixtures/manifest_cases.json', import.meta.url);
const fixture = JSON.parse(readFileSync(path, 'utf8')) as Fixture;

function manifestOf({ set = {}, remove = [] }: Case): Record<string, unknown> {
  // Not a spread of assignments: `__proto__` has to become a field like any other.
  const fields = new Map([...Object.entries(fixture.base), ...Object.entries(set)]);
  remove.forEach(name => fields.delete(name));
  return Object.fromEntries(fields);
}

function textOf(item: Case): string {
  return item.text ? item.text.map(([part, times]) => part.repeat(times)).join('') : JSON.stringify(manifestOf(item));
}

function errorsOf(source: unknown): [string, string][] {
  const result = parseManifest(source);
  const key = (error: [string, string]): string => error.join('\n');
  return result.ok
    ? []
    : result.details.map(({ path, code }): [string, string] => [path, code]).sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

function sorted(errors: [string, string][]): [string, string][] {
  return [...errors].sort((a, b) => (a.join('\n') < b.join('\n') ? -1 : 1));
}

describe('parseManifest', () => {
  it.each(fixture.cases)('gives exactly the expected errors: $name', item => {
    expect(errorsOf(textOf(item))).toEqual(sorted(item.errors));
    if (item.set) {
      expect(errorsOf(manifestOf(item))).toEqual(sorted(item.errors));
    }
  });

  it.each([[undefined], [null], [1], [[]], [true]])('takes %s for an error of the document', source => {
    expect(errorsOf(source)).toEqual([['', 'type']]);
  });

  it('says every error as a text that begins with its place, and gives the same as fields', () => {
    const result = parseManifest({ ...fixture.base, id: 'Not Kebab', rubric_path: '../r.py' });
    for (const copy of [result, structuredClone(result), JSON.parse(JSON.stringify(result)) as typeof result]) {
      if (copy.ok) {
        throw new Error('it is wrong');
      }
      expect(copy.errors.join('; ')).toMatch(/^\/id: must be kebab-case.*; \/rubric_path: leaves the folder/);
      expect(copy.errors.every(text => typeof text === 'string')).toBe(true);
      expect(copy.details.map(({ path, code }) => [path, code])).toEqual([
        ['/id', 'kebab-case'],
        ['/rubric_path', 'path'],
      ]);
      expect(copy.errors).toEqual(copy.details.map(({ path, message }) => `${path}: ${message}`));
    }
    const whole = parseManifest('{');
    expect(!whole.ok && whole.errors.join('; ')).toMatch(/^\(document\): is not JSON/);
  });

  it('normalises paths and hashes', () => {
    const result = parseManifest({
      ...fixture.base,
      rubric_path: './a//b/./rubric.py',
      datasets: [{ name: 'd', url: 'd.csv', hash: `sha256:${'AB'.repeat(32)}` }],
    });
    expect(result.ok && result.manifest).toMatchObject({
      rubric_path: 'a/b/rubric.py',
      datasets: [{ name: 'd', url: 'd.csv', hash: `sha256:${'ab'.repeat(32)}` }],
    });
  });
});

describe('isSemverCompatible', () => {
  it.each(fixture.satisfied)('%s takes what it takes for npm', (pin, satisfied) => {
    expect(fixture.versions.filter(version => isSemverCompatible(pin, version))).toEqual(satisfied);
  });

  it.each(fixture.unreadable)('pin %j, version %j: what cannot be read is not compatible', (pin, version) => {
    expect(isSemverCompatible(pin, version)).toBe(false);
  });
});

describe('assertCompatibleRuntime', () => {
  const manifest = { requires_browsergrad: '^0.8.0' };

  it('accepts a compatible version', () => {
    expect(() => assertCompatibleRuntime(manifest, '0.8.1')).not.toThrow();
  });

  it.each(['0.9.0', 'not a version'])('names pin and version: %s', version => {
    const message = `lab requires ^0.8.0, runtime is ${version}`;
    const fields = { manifestPin: '^0.8.0', runtimeVersion: version, required: '^0.8.0', actual: version };
    expect(() => assertCompatibleRuntime(manifest, version)).toThrow(
      expect.objectContaining({ name: 'LabRuntimeMismatch', code: 'lab-runtime-mismatch', message, ...fields }),
    );
    expect(() => assertCompatibleRuntime(manifest, version)).toThrow(LabRuntimeMismatch);
  });

  it.each([undefined, null, 7, {}, { requires_browsergrad: 7 }])('refuses what is no manifest: %s', other => {
    expect(() => assertCompatibleRuntime(other as never, '0.8.1')).toThrow(LabRuntimeMismatch);
  });
});
