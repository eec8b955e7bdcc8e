/**
 * A cell's assertions: counts, a table of what did not pass, and a folded list of what did.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { Assertion, AssertionsContent } from '../results/tokens';
import { button, element, inSteps, userText } from './dom';
import { diffView, side } from './diff_view';

/** Rows that are made at once: a cell may have thousands. */
const ROWS = 50;
const PASSES = 200;

/** Such as *3 passed, 1 failed, 0 errors*. */
export function countsText(counts: AssertionsContent['counts'], trans: TranslationBundle): string {
  return [
    trans._n('%1 passed', '%1 passed', counts.pass, counts.pass.toLocaleString()),
    trans._n('%1 failed', '%1 failed', counts.fail, counts.fail.toLocaleString()),
    trans._n('%1 error', '%1 errors', counts.error, counts.error.toLocaleString()),
  ].join(', ');
}

export function kindText(kind: Assertion['kind'], trans: TranslationBundle): string {
  return { pass: trans.__('Passed'), fail: trans.__('Failed'), error: trans.__('Error') }[kind];
}

/**
 * @param goToCell - brings the cell these assertions are of into view; null where there is none.
 */
export function assertionsView(
  content: AssertionsContent,
  trans: TranslationBundle,
  goToCell: (() => void) | null,
): HTMLElement {
  const { assertions, counts } = content;
  const failures = assertions.filter(one => one.kind !== 'pass');
  const passes = assertions.filter(one => one.kind === 'pass');
  const bad = counts.fail + counts.error > 0;
  const root = element('section', `bg-assertions ${bad ? 'bg-bad' : 'bg-good'}`);
  root.setAttribute('aria-label', trans.__('Checks of this cell'));
  const summary = element('p', 'bg-counts', element('strong', '', countsText(counts, trans)));
  if (bad && goToCell) {
    summary.append(' ', button(trans.__('Go to cell'), goToCell));
  }
  root.append(summary);
  if (failures.length) {
    root.append(failureTable(failures, trans));
  }
  if (passes.length) {
    root.append(passList(passes, counts.pass, trans));
  }
  return root;
}

function failureTable(failures: Assertion[], trans: TranslationBundle): HTMLElement {
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
  return inSteps(scroll, body, failures, one => failureRow(one, trans), ROWS, left =>
    trans.__('Show more (%1 left)', left.toLocaleString()),
  );
}

function failureRow(assertion: Assertion, trans: TranslationBundle): HTMLElement {
  const name = element('th', 'bg-name', userText(assertion.name, 1000));
  name.scope = 'row';
  const detail = element('td');
  if (assertion.message) {
    detail.append(element('div', 'bg-message', userText(assertion.message)));
  }
  const { expectedRepr: expected, actualRepr: actual } = assertion;
  if (expected !== undefined && actual !== undefined) {
    detail.append(diffView(expected, actual, trans));
  } else if (expected !== undefined) {
    detail.append(side(trans.__('Expected'), expected));
  } else if (actual !== undefined) {
    detail.append(side(trans.__('Got'), actual));
  }
  if (assertion.traceback) {
    const text = element('pre', '', userText(assertion.traceback));
    text.tabIndex = 0;
    detail.append(element('details', '', element('summary', '', trans.__('Traceback')), text));
  }
  const kind = element('td', `bg-kind bg-kind-${assertion.kind}`, kindText(assertion.kind, trans));
  return element('tr', `bg-row-${assertion.kind}`, kind, name, detail);
}

/** Made when it is opened. */
function passList(passes: Assertion[], count: number, trans: TranslationBundle): HTMLElement {
  const details = element('details', 'bg-passes', element('summary', '', trans.__('Passed')));
  details.addEventListener(
    'toggle',
    () => {
      const list = element('ul');
      details.append(
        inSteps(list, list, passes, one => element('li', '', userText(one.name, 1000)), PASSES, left =>
          trans.__('Show more (%1 left)', left.toLocaleString()),
        ),
      );
      if (count > passes.length) {
        details.append(element('p', '', trans.__('… and %1 more passed', (count - passes.length).toLocaleString())));
      }
    },
    { once: true },
  );
  return details;
}
