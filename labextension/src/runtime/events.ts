/**
 * Events, which user code reports beside its output: assertions and artifacts. Also the MIME types that carry them in notebooks,
 * and readers of such content. A saved notebook may come from anywhere and hold anything, so the readers check every field.
 *
 * The JSON Schemas in `kernel_shim/browsergrad/schemas/` describe the same content.
 */

export const ASSERTIONS_MIME = 'application/vnd.browsergrad.assertions.v1+json';
export const ARTIFACT_MIME = 'application/vnd.browsergrad.artifact.v1+json';

/** From `browsergrad.assert_pass`. */
export interface AssertionPass {
  kind: 'pass';
  name: string;
  /** Points for a pass; absent if the check has no points. */
  points?: number;
  /** Points that were given. */
  earned?: number;
  /** The exercise that the check belongs to. */
  group?: string;
  /** A text for the student, which fits the outcome. */
  feedback?: string;
  durationMs?: number;
}
/** From `browsergrad.assert_fail`. */
export interface AssertionFail {
  kind: 'fail';
  name: string;
  message: string;
  /** Python's `repr` of the expected value; `"None"` if None was expected. */
  expectedRepr?: string;
  actualRepr?: string;
  /** Points for a pass; absent if the check has no points. */
  points?: number;
  /** Points that were given. */
  earned?: number;
  /** The exercise that the check belongs to. */
  group?: string;
  /** A text for the student, which fits the outcome. */
  feedback?: string;
  durationMs?: number;
}
/** From `browsergrad.assert_error`: the check could not be done. */
export interface AssertionError {
  kind: 'error';
  name: string;
  message: string;
  traceback?: string;
  /** Points for a pass; absent if the check has no points. */
  points?: number;
  /** Points that were given. */
  earned?: number;
  /** The exercise that the check belongs to. */
  group?: string;
  /** A text for the student, which fits the outcome. */
  feedback?: string;
  durationMs?: number;
}
/** What `browsergrad.assert_*` reports. */
export type Assertion = AssertionPass | AssertionFail | AssertionError;

/** From `browsergrad.log`. */
export interface ArtifactLog {
  kind: 'log';
  name: string;
  level?: 'info' | 'warn' | 'error';
  data: unknown;
}
/** From `browsergrad.emit_json`. */
export interface ArtifactJson {
  kind: 'json';
  name: string;
  data: unknown;
}
/** From `browsergrad.emit_image`. */
export interface ArtifactImage {
  kind: 'image';
  name: string;
  mime: string;
  dataBase64: string;
}
/** What `browsergrad.log` and `browsergrad.emit_*` report. */
export type Artifact = ArtifactLog | ArtifactJson | ArtifactImage;

/** Content of {@link ASSERTIONS_MIME}. Python leaves passes out of a long list, but `counts` includes all of them. */
export interface AssertionsContent {
  assertions: Assertion[];
  counts: { pass: number; fail: number; error: number };
  /** Sums over the assertions that have points; absent if none has. */
  points?: { earned: number; possible: number };
}

/** Images that an `<img>` shows. There, an SVG runs no script. */
const IMAGE = /^image\/(?:apng|avif|bmp|gif|jpeg|png|svg\+xml|webp)$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

/** Returns those of the named fields whose values are strings. */
function texts<K extends string>(value: Record<string, unknown>, ...names: K[]): { [name in K]?: string } {
  const found: { [name in K]?: string } = {};
  for (const name of names) {
    const text = value[name];
    if (typeof text === 'string') {
      found[name] = text;
    }
  }
  return found;
}

function readAssertion(value: unknown): Assertion | null {
  if (!isRecord(value) || typeof value.name !== 'string') {
    return null;
  }
  const { kind, name, durationMs, points, earned } = value;
  const common = {
    ...(isAmount(points) ? { points } : {}),
    ...(isAmount(earned) ? { earned } : {}),
    ...texts(value, 'group', 'feedback'),
    ...(typeof durationMs === 'number' && Number.isFinite(durationMs) ? { durationMs } : {}),
  };
  const { message = '' } = texts(value, 'message');
  switch (kind) {
    case 'pass':
      return { kind, name, ...common };
    case 'fail':
      return { kind, name, message, ...texts(value, 'expectedRepr', 'actualRepr'), ...common };
    case 'error':
      return { kind, name, message, ...texts(value, 'traceback'), ...common };
    default:
      return null;
  }
}

/** Reads the sums of points in an assertions output, if it has them. */
function readPoints(value: unknown): Pick<AssertionsContent, 'points'> {
  if (!isRecord(value) || !isAmount(value.earned) || !isAmount(value.possible)) {
    return {};
  }
  return { points: { earned: value.earned, possible: value.possible } };
}

/** Reads the content of an assertions output. @returns null if `value` is something else. */
export function readAssertions(value: unknown): AssertionsContent | null {
  if (!isRecord(value) || !Array.isArray(value.assertions) || !isRecord(value.counts)) {
    return null;
  }
  const { pass, fail, error } = value.counts;
  const assertions = value.assertions.map(readAssertion);
  if (!isCount(pass) || !isCount(fail) || !isCount(error) || assertions.includes(null)) {
    return null;
  }
  return { assertions: assertions as Assertion[], counts: { pass, fail, error }, ...readPoints(value.points) };
}

/** Reads the content of an artifact output. @returns null if `value` is something else. */
export function readArtifact(value: unknown): Artifact | null {
  if (!isRecord(value) || typeof value.name !== 'string') {
    return null;
  }
  const { kind, name } = value;
  if (kind === 'json' && 'data' in value) {
    return { kind, name, data: value.data };
  }
  if (kind === 'log' && 'data' in value) {
    const level = value.level === 'warn' || value.level === 'error' ? value.level : 'info';
    return { kind, name, level, data: value.data };
  }
  if (kind === 'image' && typeof value.mime === 'string' && typeof value.dataBase64 === 'string') {
    if (IMAGE.test(value.mime) && BASE64.test(value.dataBase64)) {
      return { kind, name, mime: value.mime, dataBase64: value.dataBase64 };
    }
  }
  return null;
}
