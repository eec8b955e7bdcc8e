/**
 * The side panel *Lab results*: the front notebook's assertions by cell, with counts, filter and export.
 */
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { button, element, Steps, userText } from '../renderers/dom';
import { countsText, kindText } from '../renderers/assertions';
import { goToCell } from './cells';
import type { LabResults, ResultsGroup } from './store';
import type { Assertion } from './tokens';

type Filter = 'all' | Assertion['kind'];
const FILTERS: Filter[] = ['all', 'fail', 'error', 'pass'];
const ROWS = 50;
/** ms between two renderings while cells run. */
const INTERVAL_MS = 250;

export class ResultsPanel extends Widget {
  private filter: Filter = 'all';
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly bar = element('div', 'bg-panel-bar');
  private readonly status = element('p', 'bg-counts');
  private readonly list = element('div', 'bg-panel-list');

  constructor(
    private readonly results: LabResults,
    private readonly tracker: INotebookTracker,
    private readonly trans: TranslationBundle,
  ) {
    super();
    this.addClass('bg-panel');
    this.status.setAttribute('role', 'status');
    this.list.tabIndex = 0;
    this.list.setAttribute('role', 'group');
    this.list.setAttribute('aria-label', trans.__('Checks'));
    this.makeBar();
    this.node.append(element('h2', '', trans.__('Lab results')), this.status, this.bar, this.list);
    tracker.currentChanged.connect(() => this.later());
    results.changed.connect((_, path) => {
      if (path === this.path) {
        this.later();
      }
    });
  }

  override dispose(): void {
    clearTimeout(this.timer);
    super.dispose();
  }

  protected override onAfterShow(_message: Message): void {
    this.render();
  }

  protected override onAfterAttach(_message: Message): void {
    this.later();
  }

  private get path(): string | null {
    return this.tracker.currentWidget?.context.path ?? null;
  }

  private makeBar(): void {
    const { trans } = this;
    const texts = {
      all: trans.__('All'),
      fail: trans.__('Failed'),
      error: trans.__('Errors'),
      pass: trans.__('Passed'),
    };
    const buttons = FILTERS.map(filter => {
      const one = button(texts[filter], () => {
        this.filter = filter;
        buttons.forEach((other, i) => other.setAttribute('aria-pressed', String(FILTERS[i] === filter)));
        this.render();
      });
      one.setAttribute('aria-pressed', String(filter === this.filter));
      return one;
    });
    const group = element('div', 'bg-filters', ...buttons);
    group.setAttribute('role', 'group');
    group.setAttribute('aria-label', trans.__('Show'));
    this.bar.append(group, button(trans.__('Export as JSON'), () => this.export()));
  }

  private export(): void {
    if (this.path === null) {
      return;
    }
    const text = JSON.stringify(this.results.full(this.path), null, 2);
    const link = element('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
    link.download = `${(this.path.split('/').pop() ?? '').replace(/\.ipynb$/, '')}-results.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  private later(): void {
    if (this.timer === undefined) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        if (this.isVisible) {
          this.render();
        }
      }, INTERVAL_MS);
    }
  }

  private render(): void {
    const { path, trans } = this;
    const counts = path === null ? null : this.results.summary(path);
    const text = counts ? countsText(counts, trans) : trans.__('No checks have been run in this notebook.');
    if (this.status.textContent !== text) {
      this.status.textContent = text;
    }
    // The reader's place is kept: the same headings stay, by their order.
    const scroll = this.list.scrollTop;
    this.list.replaceChildren(...(path === null ? [] : this.results.groups(path).map(one => this.group(one))));
    this.list.scrollTop = scroll;
  }

  private group(group: ResultsGroup): HTMLElement {
    const { assertions, counts } = group.content;
    const shown = assertions.filter(one => this.filter === 'all' || one.kind === this.filter);
    const title = element('h3', '', userText(group.heading, 200));
    const box = element('section', counts.fail + counts.error ? 'bg-bad' : 'bg-good', title);
    const line = element('p', 'bg-counts', countsText(counts, this.trans));
    if (group.cell_id) {
      line.append(' ', button(this.trans.__('Go to cell'), () => this.go(group)));
    }
    box.append(line);
    const list = element('ul');
    const more = (left: number): string => this.trans.__('Show more (%1 left)', left.toLocaleString());
    box.append(new Steps<Assertion>(list, list, one => this.row(one, group), ROWS, more).show(shown).node);
    return box;
  }

  private row(assertion: Assertion, group: ResultsGroup): HTMLElement {
    const kind = element('span', `bg-kind bg-kind-${assertion.kind}`, kindText(assertion.kind, this.trans));
    const name = userText(assertion.name, 300);
    const item = element('li', `bg-row-${assertion.kind}`, kind, ' ');
    if (group.cell_id && assertion.kind !== 'pass') {
      const link = button('', () => this.go(group), 'bg-link');
      link.append(name);
      item.append(link);
    } else {
      item.append(name);
    }
    if (assertion.message) {
      item.append(element('div', 'bg-message', userText(assertion.message, 500)));
    }
    return item;
  }

  private go(group: ResultsGroup): void {
    const panel = this.tracker.currentWidget;
    if (panel && group.cell_id) {
      void goToCell(panel, group.cell_id);
    }
  }
}
