/** Readers of saved notebooks: they refuse everything that does not follow the contract, field by field. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { ARTIFACT_MIME, ASSERTIONS_MIME, readArtifact, readAssertions } from '../../src/runtime/events';

const counts = { pass: 1, fail: 1, error: 1 };
const schema = (name: string) =>
  JSON.parse(
    readFileSync(new URL(`../../../kernel_shim/browsergrad/schemas/${name}.v1.schema.json`, import.meta.url), 'utf8'),
  ) as { title: string };

describe('the MIME types', () => {
  it('are those of the schemas', () => {
    expect([schema('assertions').title, schema('artifact').title]).toEqual([ASSERTIONS_MIME, ARTIFACT_MIME]);
  });
});

describe('assertions', () => {
  it.each([
    { kind: 'pass', name: 'a' },
    { kind: 'pass', name: 'a', durationMs: 0.5 },
    { kind: 'fail', name: 'a', message: 'm' },
    { kind: 'fail', name: 'a', message: 'm', expectedRepr: '1', actualRepr: '2', durationMs: 3 },
    { kind: 'error', name: 'a', message: 'm', traceback: 't' },
    { kind: 'pass', name: 'a', points: 2, earned: 2, group: 'Exercise 1' },
    { kind: 'fail', name: 'a', message: 'm', points: 2, earned: 0.5, group: 'Exercise 1' },
    { kind: 'error', name: 'a', message: 'm', points: 2, earned: 0 },
    { kind: 'pass', name: 'a', feedback: 'well done' },
    { kind: 'fail', name: 'a', message: 'm', feedback: 'look at zero' },
  ])('are read as they are: %j', assertion => {
    expect(readAssertions({ assertions: [assertion], counts })).toEqual({ assertions: [assertion], counts });
  });

  it.each([
    [
      { kind: 'pass', name: 'a', message: 'm', traceback: 't' },
      { kind: 'pass', name: 'a' },
    ],
    [
      { kind: 'fail', name: 'a' },
      { kind: 'fail', name: 'a', message: '' },
    ],
    [
      { kind: 'fail', name: 'a', message: 7, expectedRepr: {} },
      { kind: 'fail', name: 'a', message: '' },
    ],
    [
      {
        kind: 'error',
        name: 'a',
        message: 'm',
        durationMs: Infinity,
        html: '<b>',
        points: -1,
        earned: '1',
        group: 7,
        feedback: 7,
      },
      { kind: 'error', name: 'a', message: 'm' },
    ],
  ])('lose the fields that their kind does not have: %j', (given, read) => {
    expect(readAssertions({ assertions: [given], counts })?.assertions).toEqual([read]);
  });

  it.each([
    null,
    7,
    [],
    {},
    { assertions: [], counts: null },
    { assertions: {}, counts },
    { assertions: [null], counts },
    { assertions: [{ kind: 'pass' }], counts },
    { assertions: [{ kind: 'pass', name: 7 }], counts },
    { assertions: [{ kind: 'passed', name: 'a' }], counts },
    { assertions: [], counts: { pass: 1, fail: 1 } },
    { assertions: [], counts: { ...counts, pass: -1 } },
    { assertions: [], counts: { ...counts, pass: 0.5 } },
    { assertions: [], counts: { ...counts, pass: '1' } },
  ])('are refused: %j', value => expect(readAssertions(value)).toBeNull());
});

describe('an artifact', () => {
  it.each([
    { kind: 'log', name: 'a', level: 'warn', data: [1] },
    { kind: 'json', name: 'a', data: null },
    { kind: 'image', name: 'a', mime: 'image/png', dataBase64: 'AAA=' },
  ])('is read as it is: %j', artifact => expect(readArtifact(artifact)).toEqual(artifact));

  it.each([undefined, 'fatal', 7])('of an unknown level is information: %j', level =>
    expect(readArtifact({ kind: 'log', name: 'a', level, data: 1 })).toEqual({
      kind: 'log',
      name: 'a',
      level: 'info',
      data: 1,
    }),
  );

  it.each([
    null,
    [],
    { kind: 'json', name: 'a' },
    { kind: 'log', name: 'a' },
    { kind: 'json', data: 1 },
    { kind: 'video', name: 'a', data: 1 },
    { kind: 'image', name: 'a', mime: 'text/html', dataBase64: 'AAAA' },
    { kind: 'image', name: 'a', mime: 'image/png;x', dataBase64: 'AAAA' },
    { kind: 'image', name: 'a', mime: 'image/png', dataBase64: '' },
    { kind: 'image', name: 'a', mime: 'image/png', dataBase64: 'AA"onload=' },
  ])('is refused: %j', value => expect(readArtifact(value)).toBeNull());
});
