/** Sentences about the offline copy, for people. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { FillCode } from './fill';
import type { WholeVersion } from './store';

/** What is known of the copy. `whole` is an older version while a newer one is being fetched. */
export type CopyState =
  | { kind: 'none'; whole: WholeVersion | null }
  | { kind: 'fetching'; whole: WholeVersion | null; done: number; total: number }
  | { kind: 'ready'; whole: WholeVersion }
  | { kind: 'failed'; whole: WholeVersion | null; code: FillCode }
  | { kind: 'off'; whole: null };

/** Digits of a version that are shown. */
const SHOWN_DIGITS = 8;

const megabytes = (bytes: number): string => String(Math.ceil(bytes / 1e6));

/** Text and tooltip for the status bar; an empty text hides it. */
export function statusTexts(state: CopyState, trans: TranslationBundle): [label: string, tooltip: string] {
  const tooltip = stateText(state, trans);
  if (state.kind === 'fetching') {
    return [trans.__('Offline copy: %1 of %2 MB', megabytes(state.done), megabytes(state.total)), tooltip];
  }
  return [state.whole ? trans.__('Works offline') : '', tooltip];
}

/** The state in sentences. */
export function stateText(state: CopyState, trans: TranslationBundle): string {
  const { whole } = state;
  const ready = whole
    ? trans.__(
        'This site works without a network since %1 (version %2, %3 MB).',
        new Date(whole.since).toLocaleString(),
        whole.version.slice(0, SHOWN_DIGITS),
        megabytes(whole.size),
      )
    : trans.__('There is no offline copy of this site in this browser.');
  switch (state.kind) {
    case 'fetching': {
      const [done, total] = [megabytes(state.done), megabytes(state.total)];
      return whole
        ? `${ready} ${trans.__('A new version is being fetched: %1 of %2 MB.', done, total)}`
        : trans.__('An offline copy of this site is being fetched: %1 of %2 MB.', done, total);
    }
    case 'failed':
      return `${ready} ${failureText(state.code, trans)}`;
    case 'off':
      return `${ready} ${trans.__('None is kept, as your settings say.')}`;
    default:
      return ready;
  }
}

/** Why there is no copy, or not the newest one. */
export function failureText(code: FillCode, trans: TranslationBundle): string {
  switch (code) {
    case 'full':
      return trans.__('There is not enough room in the browser’s storage for an offline copy of this site.');
    case 'refused':
      return trans.__('This browser lets the site store no offline copy.');
    case 'changed':
      return trans.__(
        'Some files on the server do not match the site’s list: the teacher should build and publish it again.',
      );
    default:
      return trans.__('The network failed. The next visit goes on.');
  }
}
