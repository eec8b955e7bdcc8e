/**
 * Shows a cell's assertions: counts, a table of failures, and a folded list of passes.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Assertion, AssertionFail, AssertionPass, AssertionsContent } from '../runtime/events';
import { button, element, Steps, userText } from './dom';
import { diffView, side } from './diff_view';

type Failure = Exclude<Assertion, AssertionPass>;

/** Rows that are shown at first, and that each further step adds: a cell may have thousands of assertions. */
const ROWS = 50;
const PASSES = 200;

/** Returns a text such as *3 passed, 1 failed, 0 errors*, with *, 5 of 8 points* if there are points. */
export function countsText(
  counts: AssertionsContent['counts'],
  trans: TranslationBundle,
  points?: AssertionsContent['points'],
): string {
  return [
    trans._n('%1 passed', '%1 passed', counts.pass, counts.pass.toLocaleString()),
    trans._n('%1 failed', '%1 failed', counts.fail, counts.fail.toLocaleString()),
    trans._n('%1 error', '%1 errors', counts.error, counts.error.toLocaleString()),
    ...(points ? [trans.__('%1 of %2 points', points.earned.toLocaleString(), points.possible.toLocaleString())] : []),
  ].join(', ');
}

export function kindText(kind: Assertion['kind'], trans: TranslationBundle): string {
  return { pass: trans.__('Passed'), fail: trans.__('Failed'), error: trans.__('Error') }[kind];
}

/** The view of one cell's assertions, which grows with them. */
export class AssertionsView {
  readonly node = element('section');
  private content: AssertionsContent = { assertions: [], counts: { pass: 0, fail: 0, error: 0 } };
  private readonly counts = element('strong');
  private readonly link: HTMLElement | null;
  private readonly failures: Steps<Failure>;
  private readonly passes: Steps<AssertionPass>;
  private readonly passList: HTMLDetailsElement;
  private readonly passesLeft = element('p');

  /**
   * @param goToCell - shows the cell of these assertions; null if there is no such cell.
   */
  constructor(
    private readonly trans: TranslationBundle,
    goToCell: (() => void) | null,
  ) {
    this.node.setAttribute('aria-label', trans.__('Checks of this cell'));
    const summary = element('p', 'bg-counts', this.counts);
    this.link = goToCell && button(trans.__('Go to cell'), goToCell);
    if (this.link) {
      summary.append(' ', this.link);
    }
    const more = (left: number): string => trans.__('Show more (%1 left)', left.toLocaleString());
    const { body, scroll } = failureTable(trans);
    this.failures = new Steps(scroll, body, one => failureRow(one, trans), ROWS, more);
    const list = element('ul');
    this.passes = new Steps(list, list, passItem, PASSES, more);
    this.passList = element('details', 'bg-passes', element('summary', '', trans.__('Passed')));
    this.passList.append(this.passes.node, this.passesLeft);
    this.passList.addEventListener('toggle', () => this.showPasses());
    this.node.append(summary, this.failures.node, this.passList);
  }

  /** Shows `content`. @returns false if it does not begin with the assertions shown so far: a new view is then needed. */
  update(content: AssertionsContent): boolean {
    const failures = content.assertions.filter(isFailure);
    const passes = content.assertions.filter(isPass);
    if (!startsWith(failures, this.failures.shown) || !startsWith(passes, this.passes.shown)) {
      return false;
    }
    this.content = content;
    const { counts } = content;
    const bad = counts.fail + counts.error > 0;
    this.node.className = `bg-assertions ${bad ? 'bg-bad' : 'bg-good'}`;
    this.counts.textContent = countsText(counts, this.trans, content.points);
    this.link?.toggleAttribute('hidden', !bad);
    this.failures.node.hidden = !failures.length;
    this.failures.show(failures);
    this.passList.hidden = !passes.length;
    this.showPasses();
    return true;
  }

  /** Stops making rows. */
  stop(): void {
    this.failures.stop();
    this.passes.stop();
  }

  /** Fills the list of passes once it is open. */
  private showPasses(): void {
    if (this.passList.open) {
      const passes = this.content.assertions.filter(isPass);
      const left = this.content.counts.pass - passes.length;
      this.passes.show(passes);
      this.passesLeft.textContent = left > 0 ? this.trans.__('… and %1 more passed', left.toLocaleString()) : '';
    }
  }
}

function isPass(one: Assertion): one is AssertionPass {
  return one.kind === 'pass';
}

function passItem(one: AssertionPass): HTMLElement {
  const item = element('li', '', userText(one.name, 1000));
  if (one.feedback) {
    item.append(element('div', 'bg-message bg-feedback', userText(one.feedback)));
  }
  return item;
}

function isFailure(one: Assertion): one is Failure {
  return one.kind !== 'pass';
}

function startsWith(all: readonly Assertion[], shown: readonly Assertion[]): boolean {
  return shown.every((one, i) => JSON.stringify(one) === JSON.stringify(all[i]));
}

function failureTable(trans: TranslationBundle): { body: HTMLElement; scroll: HTMLElement } {
  const head = [trans.__('Result'), trans.__('Check'), trans.__('Detail')].map(title => {
    const cell = element('th', '', title);
    cell.scope = 'col';
    return cell;
  });
  const body = element('tbody');
  const table = element('table', 'bg-table', element('thead', '', element('tr', '', ...head)), body);
  const scroll = element('div', 'bg-scroll', table);
  scroll.tabIndex = 0;
  scroll.setAttribute('role', 'group');
  scroll.setAttribute('aria-label', trans.__('Failed checks'));
  return { body, scroll };
}

function failureRow(assertion: Failure, trans: TranslationBundle): HTMLElement {
  const name = element('th', 'bg-name', userText(assertion.name, 1000));
  name.scope = 'row';
  const detail = element('td');
  if (assertion.message) {
    detail.append(element('div', 'bg-message', userText(assertion.message)));
  }
  if (assertion.feedback) {
    detail.append(element('div', 'bg-message bg-feedback', userText(assertion.feedback)));
  }
  if (assertion.kind === 'fail') {
    detail.append(...comparison(assertion, trans));
  } else if (assertion.traceback) {
    const text = element('pre', '', userText(assertion.traceback));
    text.tabIndex = 0;
    detail.append(element('details', '', element('summary', '', trans.__('Traceback')), text));
  }
  const kind = element('td', `bg-kind bg-kind-${assertion.kind}`, kindText(assertion.kind, trans));
  return element('tr', `bg-row-${assertion.kind}`, kind, name, detail);
}

/** Shows the expected and the actual value, side by side if both are known. */
function comparison(
  { expectedRepr: expected, actualRepr: actual }: AssertionFail,
  trans: TranslationBundle,
): HTMLElement[] {
  if (expected !== undefined && actual !== undefined) {
    return [diffView(expected, actual, trans)];
  }
  if (expected !== undefined) {
    return [side(trans.__('Expected'), expected)];
  }
  return actual === undefined ? [] : [side(trans.__('Got'), actual)];
}
