/**
 * Lab manifests: their rules, and the check of their pin.
 *
 * `jupyterlite_browsergrad/labs/manifest_rules.py` has the same rules. `tests/fixtures/manifest_cases.json` has the cases on
 * which both must agree. Versions follow Semantic Versioning 2.0.0; `^` and `~` mean what they mean in npm.
 */
import { BrowsergradError } from './errors';

/** A file that a lab reads; `hash` is `sha256:` and lower-case hexadecimal digits. */
export interface LabDataset {
  name: string;
  url: string;
  hash?: string;
}

/** A manifest that follows the rules. Paths are normalised: they contain no `.` step and no `//`. */
export interface LabManifest {
  id: string;
  version: string;
  requires_browsergrad: string;
  required_ops: string[];
  rubric_path: string;
  starter_path: string;
  reference_path: string;
  datasets: LabDataset[];
}

/** The kinds of errors in manifests. The words do not change. */
export type ManifestErrorCode =
  | 'too-large' // more than MAX_BYTES of text
  | 'json' // not JSON, or nested deeper than MAX_DEPTH
  | 'duplicate' // a key comes twice in an object, or two datasets have one name
  | 'unknown' // no such field
  | 'missing'
  | 'type' // not of the field's JSON type
  | 'empty'
  | 'too-many'
  | 'kebab-case'
  | 'semver'
  | 'pin'
  | 'path'
  | 'url'
  | 'hash';

/** One error in a manifest. */
export interface ManifestError {
  /** JSON pointer (RFC 6901) to the wrong value; empty for the whole document. */
  path: string;
  /** The kind of error, for programs. */
  code: ManifestErrorCode;
  /** The error, for people. */
  message: string;
}

/** The result of {@link parseManifest}. */
export type ManifestParseResult =
  | { ok: true; manifest: LabManifest }
  | {
      ok: false;
      /** All errors, as texts that begin with the place: `/id: must be kebab-case, …`. */
      errors: string[];
      /** The same errors in the same order, for programs. */
      details: ManifestError[];
    };

/** Another name of {@link ManifestParseResult}. */
export type ManifestResult = ManifestParseResult;

/** This runtime does not satisfy a lab's pin. */
export class LabRuntimeMismatch extends BrowsergradError {
  /** The same as `manifestPin`. */
  readonly required: string;
  /** The same as `runtimeVersion`. */
  readonly actual: string;

  constructor(
    /** The manifest's `requires_browsergrad`. */
    readonly manifestPin: string,
    /** The version that does not satisfy the pin. */
    readonly runtimeVersion: string,
  ) {
    super('lab-runtime-mismatch', `lab requires ${manifestPin}, runtime is ${runtimeVersion}`);
    this.name = 'LabRuntimeMismatch';
    this.required = manifestPin;
    this.actual = runtimeVersion;
  }
}

const MAX_BYTES = 1024 * 1024;
const MAX_DEPTH = 100;
const MAX_OPS = 64;
const MAX_DATASETS = 32;

// --- versions

const NUMBER = '(?:0|[1-9][0-9]*)';
const IDENTIFIER = `(?:${NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)`;
const CORE = `(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})(?:-(${IDENTIFIER}(?:\\.${IDENTIFIER})*))?`;
const VERSION = new RegExp(`^()${CORE}(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`);
const PIN = new RegExp(`^([\\^~]?)${CORE}$`);
// The limit of node-semver. Its limit for numbers is Number.MAX_SAFE_INTEGER.
const MAX_VERSION_LENGTH = 256;

type Numbers = readonly [number, number, number];

interface Version {
  /** `^`, `~` or nothing. */
  operator: string;
  numbers: Numbers;
  prerelease: string[];
}

function readVersion(pattern: RegExp, text: unknown): Version | null {
  if (typeof text !== 'string' || text.length > MAX_VERSION_LENGTH) {
    return null;
  }
  const match = pattern.exec(text);
  if (!match) {
    return null;
  }
  const numbers: Numbers = [Number(match[2]), Number(match[3]), Number(match[4])];
  if (!numbers.every(Number.isSafeInteger)) {
    return null;
  }
  return { operator: match[1], numbers, prerelease: match[5] ? match[5].split('.') : [] };
}

function compareIdentifiers(a: string, b: string): number {
  const [numericA, numericB] = [/^[0-9]+$/.test(a), /^[0-9]+$/.test(b)];
  if (numericA !== numericB) {
    return numericA ? -1 : 1;
  }
  if (numericA && a.length !== b.length) {
    // Without leading zeros, a longer number is larger. Numbers may be too large for JavaScript.
    return a.length - b.length;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareNumbers(a: Numbers, b: Numbers): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** Compares by precedence (semver, section 11). */
function compare(a: Version, b: Version): number {
  const order = compareNumbers(a.numbers, b.numbers);
  if (order || !a.prerelease.length || !b.prerelease.length) {
    return order || Number(!a.prerelease.length) - Number(!b.prerelease.length);
  }
  const shorter = Math.min(a.prerelease.length, b.prerelease.length);
  for (let i = 0; i < shorter; i++) {
    const difference = compareIdentifiers(a.prerelease[i], b.prerelease[i]);
    if (difference) {
      return difference;
    }
  }
  return a.prerelease.length - b.prerelease.length;
}

/** The first version that the operator no longer accepts. */
function upperBound(operator: string, [major, minor, patch]: Numbers): Numbers {
  if (operator === '~' || (major === 0 && minor > 0)) {
    return [major, minor + 1, 0];
  }
  return major > 0 ? [major + 1, 0, 0] : [0, 0, patch + 1];
}

/** Whether a version comes after another one; false if either is not a version. */
export function isNewerVersion(version: string, than: string): boolean {
  const [given, other] = [readVersion(VERSION, version), readVersion(VERSION, than)];
  return given !== null && other !== null && compare(given, other) > 0;
}

/**
 * Whether `version` satisfies `pin` (`^A.B.C`, `~A.B.C` or `A.B.C`).
 *
 * A version or pin that cannot be read is not compatible. A pre-release satisfies `^` and `~` only if the pin names a
 * pre-release of the same A.B.C.
 */
export function isSemverCompatible(pin: string, version: string): boolean {
  const wanted = readVersion(PIN, pin);
  const given = readVersion(VERSION, version);
  if (!wanted || !given) {
    return false;
  }
  if (!wanted.operator) {
    return compare(wanted, given) === 0;
  }
  const sameNumbers = compareNumbers(wanted.numbers, given.numbers) === 0;
  if (given.prerelease.length && !(wanted.prerelease.length && sameNumbers)) {
    return false;
  }
  const bound = upperBound(wanted.operator, wanted.numbers);
  return compare(wanted, given) <= 0 && compareNumbers(given.numbers, bound) < 0;
}

/** @throws LabRuntimeMismatch if the runtime's `version` does not satisfy the manifest's pin. */
export function assertCompatibleRuntime(manifest: Pick<LabManifest, 'requires_browsergrad'>, version: string): void {
  // Without a readable pin, no version is compatible.
  const pin = (manifest as typeof manifest | null | undefined)?.requires_browsergrad;
  if (pin === undefined || !isSemverCompatible(pin, version)) {
    throw new LabRuntimeMismatch(String(pin), String(version));
  }
}

// --- manifests

const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const HASH = /^sha256:[0-9A-Fa-f]{64}$/;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
/** Control characters and lone surrogates. The `u` flag reads surrogate pairs as one character. */
const CONTROL = /[\u0000-\u001f\u007f\ud800-\udfff]/u;
const ESCAPE = /%(2e|2f|5c|[01][0-9a-f]|7f)/gi;
const HTTPS = /^https:\/\//i;
const HTTPS_URL =
  /^https:\/\/(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?#][^\u0000-\u0020\u007f\\]*)?$/i;
const PATHS = ['rubric_path', 'starter_path', 'reference_path'] as const;
const FIELDS = ['id', 'version', 'requires_browsergrad', 'required_ops', ...PATHS, 'datasets'];
const DATASET_FIELDS = ['name', 'url', 'hash'];

type Fields = Record<string, unknown>;

/**
 * Checks a manifest against all rules.
 *
 * @param source - JSON text, or the parsed value.
 * @returns the manifest, or all errors.
 */
export function parseManifest(source: unknown): ManifestParseResult {
  const check = new ManifestCheck();
  const value = typeof source === 'string' ? check.read(source) : source;
  const { errors: details } = check;
  const manifest = details.some(error => error.path === '') ? null : check.manifest(value);
  return manifest ? { ok: true, manifest } : { ok: false, errors: details.map(manifestErrorText), details };
}

/** An error as a line of text. */
export function manifestErrorText({ path, message }: ManifestError): string {
  return `${path || '(document)'}: ${message}`;
}

/** Collects the errors of one manifest. */
class ManifestCheck {
  readonly errors: ManifestError[] = [];

  private fail(path: string, code: ManifestErrorCode, message: string): void {
    this.errors.push({ path, code, message });
  }

  /** Parses a JSON text. @returns undefined, and adds an error, if there is no value to check further. */
  read(text: string): unknown {
    const size = new TextEncoder().encode(text).length;
    if (size > MAX_BYTES) {
      this.fail('', 'too-large', `has ${size} bytes, at most ${MAX_BYTES} are allowed`);
      return undefined;
    }
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      this.fail('', 'json', `is not JSON: ${(error as Error).message}`);
      return undefined;
    }
    const duplicates = duplicateKeys(text);
    if (duplicates === null) {
      this.fail('', 'json', `is nested deeper than ${MAX_DEPTH} levels`);
      return undefined;
    }
    for (const [path, key] of duplicates) {
      this.fail(path, 'duplicate', `the key ${quoted(key)} comes more than once`);
    }
    return value;
  }

  manifest(value: unknown): LabManifest | null {
    if (!isObject(value)) {
      this.fail('', 'type', 'a manifest must be a JSON object');
      return null;
    }
    const id = this.text(value, '', 'id');
    if (id !== null && !KEBAB_CASE.test(id)) {
      this.fail('/id', 'kebab-case', `must be kebab-case, such as linear-regression, not ${quoted(id)}`);
    }
    const version = this.text(value, '', 'version');
    if (version !== null && !readVersion(VERSION, version)) {
      this.fail('/version', 'semver', `must be a semantic version, such as 1.0.0, not ${quoted(version)}`);
    }
    const pin = this.text(value, '', 'requires_browsergrad');
    if (pin !== null && !readVersion(PIN, pin)) {
      this.fail('/requires_browsergrad', 'pin', `must be ^A.B.C, ~A.B.C or A.B.C, not ${quoted(pin)}`);
    }
    const ops = this.ops(value);
    const [rubric, starter, reference] = PATHS.map(name => this.path(value, name));
    const datasets = Object.hasOwn(value, 'datasets') ? this.datasets(value.datasets) : [];
    this.unknown(value, FIELDS, '');
    if (this.errors.length) {
      return null;
    }
    return {
      id: id!,
      version: version!,
      requires_browsergrad: pin!,
      required_ops: ops,
      rubric_path: rubric,
      starter_path: starter,
      reference_path: reference,
      datasets,
    };
  }

  private text(owner: Fields, path: string, name: string): string | null {
    if (!Object.hasOwn(owner, name)) {
      this.fail(`${path}/${name}`, 'missing', `${name} is missing`);
      return null;
    }
    const value = owner[name];
    if (typeof value !== 'string') {
      this.fail(`${path}/${name}`, 'type', `${name} must be a string, not ${jsonType(value)}`);
      return null;
    }
    return value;
  }

  private ops(owner: Fields): string[] {
    const path = '/required_ops';
    if (!Object.hasOwn(owner, 'required_ops')) {
      this.fail(path, 'missing', 'required_ops is missing; it may be []');
      return [];
    }
    const ops = owner.required_ops;
    if (!Array.isArray(ops)) {
      this.fail(path, 'type', `required_ops must be a list of strings, not ${jsonType(ops)}`);
      return [];
    }
    if (ops.length > MAX_OPS) {
      this.fail(path, 'too-many', `has ${ops.length} entries, at most ${MAX_OPS} are allowed`);
    }
    ops.forEach((op: unknown, index) => {
      if (typeof op !== 'string') {
        this.fail(`${path}/${index}`, 'type', `must be a string, not ${jsonType(op)}`);
      }
    });
    return [...(ops as string[])];
  }

  private path(owner: Fields, name: string): string {
    const path = this.text(owner, '', name);
    if (path === null) {
      return '';
    }
    const problem = pathProblem(path);
    if (problem) {
      this.fail(`/${name}`, 'path', `${problem}; it must be relative, POSIX, inside the lab's folder`);
    }
    return path
      .split('/')
      .filter(part => part !== '' && part !== '.')
      .join('/');
  }

  private datasets(datasets: unknown): LabDataset[] {
    if (!Array.isArray(datasets)) {
      this.fail('/datasets', 'type', `datasets must be a list, not ${jsonType(datasets)}`);
      return [];
    }
    if (datasets.length > MAX_DATASETS) {
      this.fail('/datasets', 'too-many', `has ${datasets.length} entries, at most ${MAX_DATASETS} are allowed`);
    }
    const names = new Set<string>();
    return datasets.flatMap((entry: unknown, index) => {
      const path = `/datasets/${index}`;
      if (!isObject(entry)) {
        this.fail(path, 'type', `must be an object, not ${jsonType(entry)}`);
        return [];
      }
      return [this.dataset(entry, path, names)];
    });
  }

  private dataset(entry: Fields, path: string, names: Set<string>): LabDataset {
    const name = this.text(entry, path, 'name');
    if (name === '') {
      this.fail(`${path}/name`, 'empty', 'name is empty');
    } else if (name !== null && names.has(name)) {
      this.fail(`${path}/name`, 'duplicate', `another dataset is called ${quoted(name)} already`);
    }
    names.add(name ?? '');
    const url = this.text(entry, path, 'url');
    const problem = url === null ? null : urlProblem(url);
    if (problem) {
      this.fail(`${path}/url`, 'url', `${problem}; it must be https, or a path inside the lab's folder`);
    }
    const hash = Object.hasOwn(entry, 'hash') ? this.text(entry, path, 'hash') : null;
    if (hash !== null && !HASH.test(hash)) {
      this.fail(`${path}/hash`, 'hash', 'must be sha256: and 64 hexadecimal digits');
    }
    this.unknown(entry, DATASET_FIELDS, path);
    const dataset: LabDataset = { name: name ?? '', url: url ?? '' };
    return hash === null ? dataset : { ...dataset, hash: hash.toLowerCase() };
  }

  private unknown(owner: Fields, known: string[], path: string): void {
    for (const name of Object.keys(owner)) {
      if (!known.includes(name)) {
        this.fail(`${path}/${escaped(name)}`, 'unknown', `there is no field ${quoted(name)}`);
      }
    }
  }
}

/** What translates texts for people, such as JupyterLab's `TranslationBundle`. */
interface Translates {
  __(text: string): string;
}

const UNTRANSLATED: Translates = { __: text => text };

/** Why `path` does not lie in the lab's folder, in any way that a URL parser or server may read it; null if it does. */
export function pathProblem(path: string, trans = UNTRANSLATED): string | null {
  const plain = path.replace(ESCAPE, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)));
  if (path === '') {
    return trans.__('is empty');
  }
  if (CONTROL.test(plain)) {
    return trans.__('holds a control character, NUL or half a character');
  }
  if (plain.includes('\\')) {
    return trans.__('holds a backslash');
  }
  if (plain.startsWith('/')) {
    return trans.__('is absolute');
  }
  if (SCHEME.test(path)) {
    return trans.__('has a scheme');
  }
  const parts = plain.split('/');
  if (parts.includes('..')) {
    return trans.__('leaves the folder by ..');
  }
  if (path.startsWith(' ') || path.endsWith(' ')) {
    return trans.__('begins or ends with a space');
  }
  return ['', '.'].includes(parts[parts.length - 1]) ? trans.__('names a folder') : null;
}

function urlProblem(url: string): string | null {
  if (HTTPS.test(url)) {
    return HTTPS_URL.test(url) && !CONTROL.test(url) ? null : 'is not a valid https URL';
  }
  return pathProblem(url);
}

/**
 * Pointers and names of the keys that occur more than once in their object, which `JSON.parse` hides; null if the text is
 * nested deeper than MAX_DEPTH.
 *
 * @param text - valid JSON.
 */
function duplicateKeys(text: string): Map<string, string> | null {
  const duplicates = new Map<string, string>();
  /** The containers around the current place: the keys so far (null in a list), and the step into the current member. */
  const open: { keys: Set<string> | null; path: string; step: string; index: number }[] = [];
  let keyNext = false;
  for (let i = 0; i < text.length; i++) {
    const inner = open[open.length - 1];
    switch (text[i]) {
      case '{':
      case '[': {
        if (open.length >= MAX_DEPTH) {
          return null;
        }
        const path = inner ? `${inner.path}/${inner.keys ? inner.step : inner.index}` : '';
        keyNext = text[i] === '{';
        open.push({ keys: keyNext ? new Set() : null, path, step: '', index: 0 });
        break;
      }
      case '}':
      case ']':
        open.pop();
        keyNext = false;
        break;
      case ',':
        keyNext = inner.keys !== null;
        inner.index++;
        break;
      case '"': {
        const start = i;
        for (i++; text[i] !== '"'; i++) {
          if (text[i] === '\\') {
            i++;
          }
        }
        if (keyNext && inner.keys) {
          const key = JSON.parse(text.slice(start, i + 1)) as string;
          inner.step = escaped(key);
          if (inner.keys.has(key)) {
            duplicates.set(`${inner.path}/${inner.step}`, key);
          }
          inner.keys.add(key);
          keyNext = false;
        }
        break;
      }
    }
  }
  return duplicates;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A step of a JSON pointer. */
function escaped(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function quoted(text: string): string {
  return JSON.stringify(text.length <= 100 ? text : `${text.slice(0, 100)}…`);
}

function jsonType(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  if (Array.isArray(value)) {
    return 'a list';
  }
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
