/**
 * Shows an expected and an actual value, and marks what differs.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { diffChars, diffLines, type Change } from 'diff';

import { compareReprs, type Difference } from './compare';
import { element, userText, visible } from './dom';

/** Ms that one diff may take. After that, both sides are shown without marks. */
const DIFF_MS = 40;
/** One-line texts are compared character by character up to this length, in characters of both together. */
const MAX_CHARACTERS = 2000;
/** Relative differences below this may come from rounding, and get a hint. */
const ROUNDING = 1e-6;

/** The element that shows two reprs. */
export function diffView(expected: string, actual: string, trans: TranslationBundle): HTMLElement {
  const found = compareReprs(expected, actual);
  const box = element('div', 'bg-diff');
  if (found.as === 'text') {
    box.append(textDiff(found.expected, found.actual, trans));
    return box;
  }
  if (found.as === 'paths') {
    box.append(pathTable(found.differences, trans));
    if (found.left) {
      box.append(element('p', '', trans.__('… and %1 more differences', found.left)));
    }
    const whole = element('details', '', element('summary', '', trans.__('Whole values')));
    whole.append(side(trans.__('Expected'), expected), side(trans.__('Got'), actual));
    box.append(whole);
    return box;
  }
  box.append(side(trans.__('Expected'), expected), side(trans.__('Got'), actual));
  if (found.as === 'same') {
    box.append(
      element('p', '', trans.__('Both are written the same: they may be of different types, or not compare equal.')),
    );
  } else {
    box.append(element('p', '', numberHint(found, trans)));
  }
  return box;
}

/** Shows one side if the other was not given. */
export function side(label: string, repr: string): HTMLElement {
  const value = element('code', 'bg-value', userText(repr));
  return element('div', 'bg-side', element('span', 'bg-side-label', label), ' ', value);
}

function numberHint(found: { absolute: number; relative: number }, trans: TranslationBundle): string {
  const shown = (value: number): string => (Number.isFinite(value) ? value.toPrecision(3) : String(value));
  if (!Number.isFinite(found.absolute)) {
    return trans.__('not comparable by a tolerance');
  }
  const text = trans.__('absolute difference %1, relative %2', shown(found.absolute), shown(found.relative));
  return found.relative < ROUNDING ? `${text} – ${trans.__('perhaps only rounding: compare with math.isclose')}` : text;
}

function pathTable(differences: Difference[], trans: TranslationBundle): HTMLElement {
  const titles = [trans.__('Where'), trans.__('Expected'), trans.__('Got')];
  const cells = titles.map(title => {
    const cell = element('th', '', title);
    cell.scope = 'col';
    return cell;
  });
  const body = element('tbody');
  for (const { path, expected, actual, numbers } of differences) {
    const last = element('td', '', shownSide(actual, 'ins', trans));
    if (numbers) {
      last.append(element('div', 'bg-hint', numberHint(numbers, trans)));
    }
    const where = element('th', '', element('code', '', userText(path || trans.__('element'))));
    where.scope = 'row';
    body.append(element('tr', '', where, element('td', '', shownSide(expected, 'del', trans)), last));
  }
  return element('table', 'bg-paths', element('thead', '', element('tr', '', ...cells)), body);
}

function shownSide(raw: string | undefined, tag: 'ins' | 'del', trans: TranslationBundle): HTMLElement {
  return raw === undefined
    ? element('em', '', trans.__('nothing'))
    : element(tag, '', element('code', '', userText(raw, 1000)));
}

function textDiff(expected: string, actual: string, trans: TranslationBundle): HTMLElement {
  const byLine = expected.includes('\n') || actual.includes('\n');
  const changes = byLine
    ? diffLines(expected, actual, { timeout: DIFF_MS })
    : expected.length + actual.length <= MAX_CHARACTERS
      ? diffChars(expected, actual, { timeout: DIFF_MS })
      : undefined;
  if (changes && byLine) {
    return lineDiff(changes, trans);
  }
  const box = element('div');
  const parts = changes ?? [
    { value: expected, removed: true, added: false, count: 1 },
    { value: actual, removed: false, added: true, count: 1 },
  ];
  for (const [label, drop, mark] of [
    [trans.__('Expected'), 'added', 'del'],
    [trans.__('Got'), 'removed', 'ins'],
  ] as const) {
    const value = element('code', 'bg-value');
    for (const part of parts.filter(one => !one[drop])) {
      const text = visible(part.value);
      value.append(part.added || part.removed ? element(mark, '', text) : text);
    }
    box.append(element('div', 'bg-side', element('span', 'bg-side-label', label), ' ', value));
  }
  return box;
}

function lineDiff(changes: Change[], trans: TranslationBundle): HTMLElement {
  const list = element('div', 'bg-lines');
  list.setAttribute('role', 'group');
  list.setAttribute('aria-label', trans.__('Lines: − expected, + got'));
  list.tabIndex = 0;
  for (const part of changes) {
    const sign = part.removed ? '−' : part.added ? '+' : ' ';
    const lines = part.value.replace(/\n$/, '').split('\n');
    for (const line of lines) {
      const text = element(part.removed ? 'del' : part.added ? 'ins' : 'span', '', `${sign} ${visible(line, 2000)}`);
      list.append(text);
    }
  }
  return list;
}
