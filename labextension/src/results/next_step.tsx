/**
 * The beginning of the panel *Lab results*: how far the notebook is, and what to do next.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { visible } from '../renderers/dom';
import type { Assertion, AssertionsContent } from '../runtime/events';
import { Button } from './button';
import type { ResultsGroup } from './lab_results';

/** A longer text is folded behind its beginning, which ends between two words and has at least so many characters. */
const MAX_UNFOLDED = 140;
const MIN_BEGINNING = 60;

/** Splits a long text into what is shown at first and the rest. The rest is empty if all of it is shown. */
export function fold(text: string): [string, string] {
  const lineEnd = text.trimEnd().indexOf('\n');
  if (text.length <= MAX_UNFOLDED && lineEnd < 0) {
    return [text, ''];
  }
  const space = text.lastIndexOf(' ', MAX_UNFOLDED);
  let end = space > MIN_BEGINNING ? space : MAX_UNFOLDED;
  if (lineEnd >= 0 && lineEnd <= end) {
    end = lineEnd;
  }
  if (/[\uD800-\uDBFF]$/.test(text.slice(0, end))) {
    end += 1; // half of a character
  }
  return [text.slice(0, end), text.slice(end)];
}

/** An explanation. A long one is folded. */
export function Folded({ className, text }: { className: string; text: string }): React.JSX.Element {
  const [beginning, rest] = fold(text);
  return rest === '' ? (
    <div className={className}>
      <bdi>{text}</bdi>
    </div>
  ) : (
    <details className={className}>
      <summary>
        <bdi>{beginning}</bdi>
      </summary>
      <bdi>{rest}</bdi>
    </details>
  );
}

interface ProgressProps {
  counts: AssertionsContent['counts'];
  trans: TranslationBundle;
}

/** A bar. The counts below it say the same in words. */
export function Progress({ counts: { pass, fail, error }, trans }: ProgressProps): React.JSX.Element {
  return (
    <progress
      className="bg-progress"
      max={Math.max(pass + fail + error, 1)}
      value={pass}
      aria-label={trans.__('Checks passed')}
    />
  );
}

interface NextStepProps {
  groups: ResultsGroup[];
  trans: TranslationBundle;
  /** Saves the results; null if there are none to hand in. */
  download: (() => void) | null;
  go(group: ResultsGroup): void;
}

/** The first check that has not passed, or what is left to do if all have. */
export function NextStep({ groups, trans, download, go }: NextStepProps): React.JSX.Element | null {
  for (const group of groups) {
    const one = group.content.assertions.find(
      (each): each is Exclude<Assertion, { kind: 'pass' }> => each.kind !== 'pass',
    );
    if (one) {
      return (
        <div className="bg-next">
          <strong>{trans.__('Next:')}</strong> <bdi>{visible(one.name, 300)}</bdi>
          <Folded className="bg-message" text={visible(one.message, 500)} />
          {group.cell_id && <Button onClick={() => go(group)}>{trans.__('Go to its cell')}</Button>}
        </div>
      );
    }
  }
  if (!groups.length) {
    return null;
  }
  return (
    <div className="bg-next">
      <strong>{trans.__('All checks have passed.')}</strong>{' '}
      {download && <Button onClick={download}>{trans.__('Download results')}</Button>}
    </div>
  );
}
