/**
 * Lab manifests: the rules, and the check of the runtime they pin.
 *
 * Versions follow semver 2.0.0; `^` and `~` mean what they mean to npm.
 */
import { BrowsergradError } from './errors';

export interface LabDataset {
  name: string;
  url: string;
  hash?: string;
}

export interface LabManifest {
  id: string;
  version: string;
  requires_browsergrad: string;
  required_ops: string[];
  rubric_path: string;
  starter_path: string;
  reference_path: string;
  datasets?: LabDataset[];
}

export interface ManifestError {
  /** JSON pointer of the culprit; '' is the whole document. */
  path: string;
  code: string;
  message: string;
}

export type ManifestResult =
  | { ok: true; manifest: LabManifest }
  | { ok: false; errors: ManifestError[] };

/** A lab pins a runtime that this one is not. */
export class LabRuntimeMismatch extends BrowsergradError {
  constructor(
    readonly required: string,
    readonly actual: string,
  ) {
    super('lab-runtime-mismatch', `lab requires ${required}, runtime is ${actual}`);
    this.name = 'LabRuntimeMismatch';
  }
}

const MAX_OPS = 64;
const MAX_DATASETS = 32;
const NUMBER = '(?:0|[1-9]\\d*)';
const PRERELEASE = `(?:-((?:${NUMBER}|\\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\\.(?:${NUMBER}|\\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?`;
const CORE = `(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})${PRERELEASE}`;
const VERSION = new RegExp(`^${CORE}(?:\\+[0-9a-zA-Z-]+(?:\\.[0-9a-zA-Z-]+)*)?$`);
const PIN = new RegExp(`^([\\^~]?)${CORE}$`);

interface Version {
  numbers: [bigint, bigint, bigint];
  prerelease: string[];
}

function version(groups: (string | undefined)[]): Version {
  const [major, minor, patch, prerelease] = groups;
  return {
    numbers: [BigInt(major!), BigInt(minor!), BigInt(patch!)],
    prerelease: prerelease ? prerelease.split('.') : [],
  };
}

function compareIdentifiers(a: string, b: string): number {
  const [numericA, numericB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (numericA && numericB) {
    return BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0;
  }
  if (numericA !== numericB) {
    return numericA ? -1 : 1;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

function compare(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) {
    if (a.numbers[i] !== b.numbers[i]) {
      return a.numbers[i] < b.numbers[i] ? -1 : 1;
    }
  }
  if (!a.prerelease.length || !b.prerelease.length) {
    return b.prerelease.length - a.prerelease.length;
  }
  for (let i = 0; i < Math.min(a.prerelease.length, b.prerelease.length); i++) {
    const order = compareIdentifiers(a.prerelease[i], b.prerelease[i]);
    if (order) {
      return order;
    }
  }
  return a.prerelease.length - b.prerelease.length;
}

/** First version that `^` or `~` no longer takes. */
function upperBound(operator: string, [major, minor, patch]: Version['numbers']): Version['numbers'] {
  if (operator === '~' || (major === 0n && minor > 0n)) {
    return [major, minor + 1n, 0n];
  }
  return major > 0n ? [major + 1n, 0n, 0n] : [0n, 0n, patch + 1n];
}

/**
 * Whether `version` satisfies `pin` (`^A.B.C`, `~A.B.C` or `A.B.C`). What can't be read is not
 * compatible. A pre-release satisfies only a pin that names one of the same A.B.C.
 */
export function isSemverCompatible(pin: string, actual: string): boolean {
  const pinMatch = PIN.exec(pin);
  const actualMatch = VERSION.exec(actual);
  if (!pinMatch || !actualMatch) {
    return false;
  }
  const operator = pinMatch[1];
  const wanted = version(pinMatch.slice(2));
  const given = version(actualMatch.slice(1));
  if (!operator) {
    return compare(wanted, given) === 0;
  }
  const sameNumbers = wanted.numbers.every((number, i) => number === given.numbers[i]);
  if (given.prerelease.length && !(wanted.prerelease.length && sameNumbers)) {
    return false;
  }
  const bound = upperBound(operator, wanted.numbers);
  return compare(wanted, given) <= 0 && compare(given, { numbers: bound, prerelease: [] }) < 0;
}

/** @throws LabRuntimeMismatch when the manifest's pin does not take `runtimeVersion`. */
export function assertCompatibleRuntime(
  manifest: Pick<LabManifest, 'requires_browsergrad'>,
  runtimeVersion: string,
): void {
  if (!isSemverCompatible(manifest.requires_browsergrad, runtimeVersion)) {
    throw new LabRuntimeMismatch(manifest.requires_browsergrad, runtimeVersion);
  }
}

/** Why `path` is no relative POSIX path inside the lab's folder, or null. */
function pathProblem(path: string): string | null {
  if (path === '') {
    return 'is empty';
  }
  if (path.includes('\0')) {
    return 'holds a NUL character';
  }
  if (path.includes('\\')) {
    return 'holds a backslash: use /';
  }
  if (path.startsWith('/')) {
    return 'is absolute';
  }
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(path)) {
    return 'has a scheme';
  }
  if (path.split('/').some(part => part === '..')) {
    return 'leaves the folder with ..';
  }
  return null;
}

function urlProblem(url: string): string | null {
  if (/^https:\/\/[^/\s]+/.test(url)) {
    return null;
  }
  const problem = pathProblem(url);
  return problem && `${problem}: use https or a path inside the site`;
}

/** Checks a manifest, given as JSON text or parsed; reports all errors at once. */
export function parseManifest(json: unknown): ManifestResult {
  const errors: ManifestError[] = [];
  const fail = (path: string, code: string, message: string): void => {
    errors.push({ path, code, message });
  };
  let value = json;
  if (typeof json === 'string') {
    try {
      value = JSON.parse(json);
    } catch (error) {
      fail('', 'json', `not JSON: ${String(error)}`);
      return { ok: false, errors };
    }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail('', 'type', 'a manifest is a JSON object');
    return { ok: false, errors };
  }
  const fields = value as Record<string, unknown>;

  const text = (object: Record<string, unknown>, path: string, name: string): string | undefined => {
    if (!Object.hasOwn(object, name)) {
      fail(`${path}/${name}`, 'missing', `${name} is missing`);
    } else if (typeof object[name] !== 'string') {
      fail(`${path}/${name}`, 'type', `${name} must be a string`);
    } else {
      return object[name];
    }
    return undefined;
  };
  const matches = (name: string, pattern: RegExp, code: string, what: string): void => {
    const given = text(fields, '', name);
    if (given !== undefined && !pattern.test(given)) {
      fail(`/${name}`, code, `${name} must be ${what}, not ${JSON.stringify(given)}`);
    }
  };
  matches('id', /^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'kebab-case', 'kebab-case');
  matches('version', VERSION, 'semver', 'a semantic version');
  matches('requires_browsergrad', PIN, 'pin', '^A.B.C, ~A.B.C or A.B.C');

  const ops = fields.required_ops;
  if (!Object.hasOwn(fields, 'required_ops')) {
    fail('/required_ops', 'missing', 'required_ops is missing');
  } else if (!Array.isArray(ops)) {
    fail('/required_ops', 'type', 'required_ops must be a list of strings');
  } else {
    if (ops.length > MAX_OPS) {
      fail('/required_ops', 'too-many', `required_ops has ${ops.length} entries, at most ${MAX_OPS}`);
    }
    ops.forEach((op, i) => {
      if (typeof op !== 'string') {
        fail(`/required_ops/${i}`, 'type', `required_ops[${i}] must be a string`);
      }
    });
  }
  for (const name of ['rubric_path', 'starter_path', 'reference_path']) {
    const path = text(fields, '', name);
    const problem = path === undefined ? null : pathProblem(path);
    if (problem) {
      fail(`/${name}`, 'path', `${name} ${problem}`);
    }
  }
  if (Object.hasOwn(fields, 'datasets')) {
    checkDatasets(fields.datasets, fail, text);
  }
  const known = new Set([
    'id',
    'version',
    'requires_browsergrad',
    'required_ops',
    'rubric_path',
    'starter_path',
    'reference_path',
    'datasets',
  ]);
  reportUnknown(fields, known, '', fail);
  return errors.length ? { ok: false, errors } : { ok: true, manifest: value as LabManifest };
}

type Fail = (path: string, code: string, message: string) => void;

function reportUnknown(object: object, known: Set<string>, path: string, fail: Fail): void {
  for (const name of Object.keys(object)) {
    if (!known.has(name)) {
      const pointer = name.replaceAll('~', '~0').replaceAll('/', '~1');
      fail(`${path}/${pointer}`, 'unknown', `unknown field ${JSON.stringify(name)}`);
    }
  }
}

function checkDatasets(
  datasets: unknown,
  fail: Fail,
  text: (object: Record<string, unknown>, path: string, name: string) => string | undefined,
): void {
  if (!Array.isArray(datasets)) {
    fail('/datasets', 'type', 'datasets must be a list');
    return;
  }
  if (datasets.length > MAX_DATASETS) {
    fail('/datasets', 'too-many', `datasets has ${datasets.length} entries, at most ${MAX_DATASETS}`);
  }
  datasets.forEach((dataset: unknown, i) => {
    const path = `/datasets/${i}`;
    if (typeof dataset !== 'object' || dataset === null || Array.isArray(dataset)) {
      fail(path, 'type', `datasets[${i}] must be an object`);
      return;
    }
    const entry = dataset as Record<string, unknown>;
    if (text(entry, path, 'name') === '') {
      fail(`${path}/name`, 'empty', 'name is empty');
    }
    const url = text(entry, path, 'url');
    const problem = url === undefined ? null : urlProblem(url);
    if (problem) {
      fail(`${path}/url`, 'url', `url ${problem}`);
    }
    if (Object.hasOwn(entry, 'hash')) {
      const hash = text(entry, path, 'hash');
      if (hash !== undefined && !/^sha256:[0-9a-f]{64}$/.test(hash)) {
        fail(`${path}/hash`, 'hash', 'hash must be sha256: and 64 hexadecimal digits');
      }
    }
    reportUnknown(entry, new Set(['name', 'url', 'hash']), path, fail);
  });
}
