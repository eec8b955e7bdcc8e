/**
 * Shows two states of a notebook cell by cell, in a tab of its own.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { diffLines } from 'diff';
import { Widget } from '@lumino/widgets';

import { button, element, visible } from '../renderers/dom';
import { sourceOf, type CellChange } from './compare';

/** Ms that one diff may take. After that, both sides are shown whole. */
const DIFF_MS = 100;

export class CompareView extends Widget {
  constructor(
    changes: readonly CellChange[],
    /** What the two states are. */
    title: string,
    restore: () => void,
    trans: TranslationBundle,
  ) {
    super();
    this.addClass('bg-panel');
    this.addClass('bg-compare');
    this.node.tabIndex = 0;
    this.node.append(element('h2', '', title));
    const different = changes.filter(({ kind }) => kind !== 'same');
    const summary = different.length
      ? trans._n('%1 cell differs.', '%1 cells differ.', different.length)
      : trans.__('They are the same.');
    this.node.append(element('p', '', summary, ' ', button(trans.__('Restore'), restore)));
    changes.forEach((change, i) => {
      if (change.kind !== 'same') {
        this.node.append(cellView(change, i + 1, trans));
      }
    });
  }
}

function cellView({ kind, was, is }: CellChange, number: number, trans: TranslationBundle): HTMLElement {
  const titles = {
    source: trans.__('Cell %1: changed', number),
    outputs: trans.__('Cell %1: other outputs', number),
    added: trans.__('Cell %1: only in the notebook', number),
    removed: trans.__('Cell %1: only in the version', number),
    same: '',
  };
  const section = element('section', '', element('h3', '', titles[kind]));
  if (kind === 'outputs') {
    return section;
  }
  const lines = element('div', 'bg-lines');
  const before = was ? sourceOf(was) : '';
  const after = is ? sourceOf(is) : '';
  const parts = diffLines(before, after, { timeout: DIFF_MS }) ?? [
    { value: before, removed: true, added: false, count: 1 },
    { value: after, removed: false, added: true, count: 1 },
  ];
  for (const { value, added, removed } of parts) {
    for (const line of visible(value).replace(/\n$/, '').split('\n')) {
      const tag = added ? 'ins' : removed ? 'del' : 'span';
      lines.append(element(tag, '', `${added ? '+' : removed ? '−' : ' '} ${line}`));
    }
  }
  section.append(lines);
  return section;
}
