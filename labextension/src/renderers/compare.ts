/**
 * Finds the differences between an expected and an actual value, given their reprs.
 */
import { diffArrays } from 'diff';

import { readRepr, type Value } from './repr';

/** One place where two values differ. A side is undefined if that value has nothing there. */
export interface Difference {
  /** The place as Python would write it, such as `[2]['name']`; empty for the values themselves. */
  path: string;
  expected?: string;
  actual?: string;
  /** The difference of two numbers. */
  numbers?: { absolute: number; relative: number };
}

export type Comparison =
  | { as: 'same' }
  | { as: 'number'; absolute: number; relative: number }
  | { as: 'text'; expected: string; actual: string }
  | { as: 'paths'; differences: Difference[]; left: number };

/** Number of differences that are listed. */
const MAX_DIFFERENCES = 100;
/** Ms that aligning two lists may take. */
const ALIGN_MS = 50;

function numbers(expected: number, actual: number): { absolute: number; relative: number } {
  const absolute = Math.abs(actual - expected);
  return { absolute, relative: absolute / Math.max(Math.abs(expected), Math.abs(actual)) };
}

class Collector {
  readonly found: Difference[] = [];
  count = 0;

  add(difference: Difference): void {
    this.count++;
    if (this.found.length < MAX_DIFFERENCES) {
      this.found.push(difference);
    }
  }

  compare(expected: Value, actual: Value, path: string): void {
    if (expected.raw === actual.raw) {
      return;
    }
    if (expected.type === 'number' && actual.type === 'number') {
      const both = { expected: expected.raw, actual: actual.raw };
      this.add({ path, ...both, numbers: numbers(expected.value, actual.value) });
    } else if (expected.type === 'dict' && actual.type === 'dict') {
      this.dicts(expected.entries, actual.entries, path);
    } else if (expected.type === 'set' && actual.type === 'set') {
      this.sets(expected.items, actual.items, path);
    } else if (
      (expected.type === 'list' && actual.type === 'list') ||
      (expected.type === 'tuple' && actual.type === 'tuple')
    ) {
      this.lists(expected.items, actual.items, path);
    } else {
      this.add({ path, expected: expected.raw, actual: actual.raw });
    }
  }

  private dicts(expected: [Value, Value][], actual: [Value, Value][], path: string): void {
    const rest = new Map(actual.map(([key, value]) => [key.raw, value]));
    for (const [key, value] of expected) {
      const other = rest.get(key.raw);
      rest.delete(key.raw);
      if (other) {
        this.compare(value, other, `${path}[${key.raw}]`);
      } else {
        this.add({ path: `${path}[${key.raw}]`, expected: value.raw });
      }
    }
    for (const [key, value] of rest) {
      this.add({ path: `${path}[${key}]`, actual: value.raw });
    }
  }

  private sets(expected: Value[], actual: Value[], path: string): void {
    const has = new Set(actual.map(item => item.raw));
    const wanted = new Set(expected.map(item => item.raw));
    expected.filter(item => !has.has(item.raw)).forEach(item => this.add({ path, expected: item.raw }));
    actual.filter(item => !wanted.has(item.raw)).forEach(item => this.add({ path, actual: item.raw }));
  }

  private lists(expected: Value[], actual: Value[], path: string): void {
    const aligned =
      expected.length === actual.length
        ? undefined
        : diffArrays(
            expected.map(item => item.raw),
            actual.map(item => item.raw),
            { timeout: ALIGN_MS },
          );
    if (!aligned) {
      for (let i = 0; i < Math.max(expected.length, actual.length); i++) {
        const step = `${path}[${i}]`;
        if (i >= actual.length) {
          this.add({ path: step, expected: expected[i].raw });
        } else if (i >= expected.length) {
          this.add({ path: step, actual: actual[i].raw });
        } else {
          this.compare(expected[i], actual[i], step);
        }
      }
      return;
    }
    let [before, after] = [0, 0];
    for (const run of aligned) {
      for (const raw of run.value) {
        if (run.removed) {
          this.add({ path: `${path}[${before++}]`, expected: raw });
        } else if (run.added) {
          this.add({ path: `${path}[${after++}]`, actual: raw });
        } else {
          before++;
          after++;
        }
      }
    }
  }
}

/** Compares two reprs. Reprs that cannot be parsed are compared as text. */
export function compareReprs(expectedRepr: string, actualRepr: string): Comparison {
  if (expectedRepr === actualRepr) {
    return { as: 'same' };
  }
  const expected = readRepr(expectedRepr);
  const actual = readRepr(actualRepr);
  if (expected?.type === 'number' && actual?.type === 'number') {
    return { as: 'number', ...numbers(expected.value, actual.value) };
  }
  if (expected?.type === 'str' && actual?.type === 'str') {
    return { as: 'text', expected: expected.value, actual: actual.value };
  }
  const containers = ['list', 'tuple', 'set', 'dict'];
  if (expected && actual && expected.type === actual.type && containers.includes(expected.type)) {
    const collector = new Collector();
    collector.compare(expected, actual, '');
    if (collector.count) {
      return { as: 'paths', differences: collector.found, left: collector.count - collector.found.length };
    }
  }
  return { as: 'text', expected: expectedRepr, actual: actualRepr };
}
