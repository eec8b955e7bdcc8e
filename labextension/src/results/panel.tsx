/**
 * The side panel *Lab results*: progress and the next step, then the front notebook's assertions by cell, with filter and export.
 */
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { downloadJson } from '../download';
import { goToCell } from '../go_to_cell';
import { countsText, kindText } from '../renderers/assertions';
import { visible } from '../renderers/dom';
import type { Assertion } from '../runtime/events';
import { isPhone } from '../shell_sides';
import { Button } from './button';
import { merge } from './cells';
import { Folded, NextStep, Progress } from './next_step';
import type { LabResults, ResultsGroup } from './lab_results';
import { PanelHead } from './panel_head';

type Filter = 'all' | Assertion['kind'];
const FILTERS: Filter[] = ['all', 'fail', 'error', 'pass'];
const ROWS = 50;
/** Ms between two renderings while cells run. */
const INTERVAL_MS = 250;

/** What the panel's buttons do outside of it. */
export interface PanelActions {
  /** Saves the results of *Check my work*. Null if the front notebook belongs to no lab. */
  download(): (() => void) | null;
  /** Closes the panel, which covers the notebook on a phone. */
  close(): void;
}

export class ResultsPanel extends ReactWidget {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly results: LabResults,
    private readonly tracker: INotebookTracker,
    private readonly trans: TranslationBundle,
    private readonly actions: PanelActions,
  ) {
    super();
    this.addClass('bg-panel');
    tracker.currentChanged.connect(this.later, this);
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
    this.update();
  }

  protected override render(): React.JSX.Element {
    const { path, results, trans, actions } = this;
    const counts = path === null ? null : results.summary(path);
    const groups = path === null ? [] : results.groups(path);
    const { points } = merge(groups.map(group => group.content));
    return (
      <>
        <PanelHead title={trans.__('Lab results')} back={() => actions.close()} trans={trans} />
        {counts && <Progress counts={counts} trans={trans} />}
        <p className="bg-counts" role="status">
          {counts ? countsText(counts, trans, points) : trans.__('No checks have been run in this notebook.')}
        </p>
        <NextStep groups={groups} trans={trans} download={actions.download()} go={group => this.go(group)} />
        <Results groups={groups} trans={trans} export={() => this.export()} go={group => this.go(group)} />
      </>
    );
  }

  private get path(): string | null {
    return this.tracker.currentWidget?.context.path ?? null;
  }

  private export(): void {
    if (this.path === null) {
      return;
    }
    const text = JSON.stringify(this.results.full(this.path), null, 2);
    downloadJson(`${(this.path.split('/').pop() ?? '').replace(/\.ipynb$/, '')}-results.json`, text);
  }

  private later(): void {
    if (this.timer === undefined) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        if (this.isVisible) {
          this.update();
        }
      }, INTERVAL_MS);
    }
  }

  private go(group: ResultsGroup): void {
    const panel = this.tracker.currentWidget;
    if (panel && group.cell_id) {
      if (isPhone()) {
        this.actions.close(); // it covers the notebook, as the style sheet says
      }
      void goToCell(panel, group.cell_id);
    }
  }
}

interface ResultsProps {
  groups: ResultsGroup[];
  trans: TranslationBundle;
  export(): void;
  go(group: ResultsGroup): void;
}

function Results(props: ResultsProps): React.JSX.Element {
  const { groups, trans, go } = props;
  const [filter, setFilter] = React.useState<Filter>('all');
  const list = React.useRef<HTMLDivElement>(null);
  const hadFocus = list.current?.contains(document.activeElement);
  React.useLayoutEffect(() => {
    // The focused row may be gone, for example when its cell runs again. The focus then stays in the list.
    if (hadFocus && !list.current?.contains(document.activeElement)) {
      list.current?.focus({ preventScroll: true });
    }
  });
  const texts = {
    all: trans.__('All'),
    fail: trans.__('Failed'),
    error: trans.__('Errors'),
    pass: trans.__('Passed'),
  };
  return (
    <>
      <div className="bg-panel-bar">
        <div className="bg-filters" role="group" aria-label={trans.__('Show')}>
          {FILTERS.map(one => (
            <Button key={one} aria-pressed={one === filter} onClick={() => setFilter(one)}>
              {texts[one]}
            </Button>
          ))}
        </div>
        <Button onClick={props.export}>{trans.__('Export as JSON')}</Button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the list scrolls, so the keyboard must reach it */}
      <div className="bg-panel-list" role="group" aria-label={trans.__('Checks')} tabIndex={0} ref={list}>
        {groups.map(group => (
          <Group key={group.cell_id ?? group.heading} {...{ group, filter, trans }} go={() => go(group)} />
        ))}
      </div>
    </>
  );
}

interface GroupProps {
  group: ResultsGroup;
  filter: Filter;
  trans: TranslationBundle;
  go(): void;
}

function Group({ group, filter, trans, go }: GroupProps): React.JSX.Element {
  const { assertions, counts, points } = group.content;
  const [wanted, setWanted] = React.useState(ROWS);
  const list = React.useRef<HTMLUListElement>(null);
  const shown = assertions.filter(one => filter === 'all' || one.kind === filter);
  const left = Math.max(shown.length - wanted, 0);
  const grow = (): void => {
    if (left <= ROWS) {
      (list.current?.lastElementChild as HTMLElement | null)?.focus(); // the button is removed
    }
    setWanted(wanted + ROWS);
  };
  return (
    <section className={counts.fail + counts.error ? 'bg-bad' : 'bg-good'}>
      <h3>
        <bdi>{visible(group.heading, 200)}</bdi>
      </h3>
      <p className="bg-counts">
        {countsText(counts, trans, points)} {group.cell_id && <Button onClick={go}>{trans.__('Go to cell')}</Button>}
      </p>
      <ul ref={list}>
        {shown.slice(0, wanted).map((one, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: checks have no ids, and a row has no state
          <Row key={i} assertion={one} trans={trans} go={group.cell_id && one.kind !== 'pass' ? go : null} />
        ))}
      </ul>
      {left > 0 && <Button onClick={grow}>{trans.__('Show more (%1 left)', left.toLocaleString())}</Button>}
    </section>
  );
}

interface RowProps {
  assertion: Assertion;
  trans: TranslationBundle;
  go: (() => void) | null;
}

function Row({ assertion, trans, go }: RowProps): React.JSX.Element {
  const { kind, name, feedback } = assertion;
  const message = kind === 'pass' ? '' : assertion.message;
  const text = <bdi>{visible(name, 300)}</bdi>;
  return (
    <li className={`bg-row-${kind}`} tabIndex={-1}>
      <span className={`bg-kind bg-kind-${kind}`}>{kindText(kind, trans)}</span>{' '}
      {go ? (
        <Button className="bg-link" onClick={go}>
          {text}
        </Button>
      ) : (
        text
      )}
      {message && <Folded className="bg-message" text={visible(message, 500)} />}
      {feedback && <Folded className="bg-message bg-feedback" text={visible(feedback, 500)} />}
    </li>
  );
}
