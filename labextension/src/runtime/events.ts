/**
 * Our MIME types, and what of a saved notebook's JSON may be taken for their content: a notebook of
 * others can hold anything.
 */
import type { Assertion, AssertionsContent } from '../results/tokens';

export const ASSERTIONS_MIME = 'application/vnd.browsergrad.assertions.v1+json';
export const ARTIFACT_MIME = 'application/vnd.browsergrad.artifact.v1+json';

export const KINDS = ['pass', 'fail', 'error'] as const;

export type Artifact =
  | { kind: 'log'; name: string; level: 'info' | 'warn' | 'error'; data: unknown }
  | { kind: 'json'; name: string; data: unknown }
  | { kind: 'image'; name: string; mime: string; dataBase64: string };

/** Images an `<img>` shows; an SVG there runs no script. */
const IMAGE = /^image\/(?:apng|avif|bmp|gif|jpeg|png|svg\+xml|webp)$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readAssertion(value: unknown): Assertion | null {
  if (!isRecord(value) || typeof value.name !== 'string') {
    return null;
  }
  const kind = KINDS.find(one => one === value.kind);
  if (!kind) {
    return null;
  }
  const assertion: Assertion = { kind, name: value.name };
  for (const key of ['message', 'expectedRepr', 'actualRepr', 'traceback'] as const) {
    const text = value[key];
    if (typeof text === 'string') {
      assertion[key] = text;
    }
  }
  if (typeof value.durationMs === 'number' && Number.isFinite(value.durationMs)) {
    assertion.durationMs = value.durationMs;
  }
  return assertion;
}

/** The content of an assertions output; null when it is none. */
export function readAssertions(value: unknown): AssertionsContent | null {
  if (!isRecord(value) || !Array.isArray(value.assertions) || !isRecord(value.counts)) {
    return null;
  }
  const { pass, fail, error } = value.counts;
  const assertions = value.assertions.map(readAssertion);
  if (!isCount(pass) || !isCount(fail) || !isCount(error) || assertions.includes(null)) {
    return null;
  }
  return { assertions: assertions as Assertion[], counts: { pass, fail, error } };
}

/** The content of an artifact output; null when it is none. */
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
