/**
 * Sentences about the history, for people.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { NoWorkFiles } from './files';
import type { VersionInfo } from './history';

export function kindText({ kind }: Pick<VersionInfo, 'kind'>, trans: TranslationBundle): string {
  return {
    saved: trans.__('Saved'),
    opened: trans.__('As it was opened'),
    typed: trans.__('Typed, never saved'),
    replaced: trans.__('Before it was replaced'),
    closed: trans.__('Closed without saving'),
  }[kind];
}

export function changedText({ changed, cells }: VersionInfo, trans: TranslationBundle): string {
  return changed === null
    ? trans._n('%1 cell', '%1 cells', cells)
    : trans._n('%1 cell changed', '%1 cells changed', changed);
}

/** Says why nothing is kept, and what to do. */
export function noHistoryText({ code, message }: NoWorkFiles, trans: TranslationBundle): string {
  switch (code) {
    case 'insecure':
      return trans.__(
        'No history is kept, since this page did not come by https. Download your work before you leave.',
      );
    case 'missing':
      return trans.__('No history is kept, since this browser cannot keep it. Download your work before you leave.');
    case 'full':
      return trans.__(
        'No history is kept, since the browser’s storage is full. Download your work, then delete files that you do not need.',
      );
    default:
      return trans.__(
        'No history is kept, since the browser refuses to store it (%1), as in some private windows. Download your work before you leave.',
        message,
      );
  }
}

/** Returns a length in kB, or in MB from 1 MB. */
export function sizeText(bytes: number, trans: TranslationBundle): string {
  return bytes < 1e6 ? trans.__('%1 kB', Math.ceil(bytes / 1000)) : trans.__('%1 MB', (bytes / 1e6).toFixed(1));
}

export function timeText(time: number, now = Date.now()): string {
  const date = new Date(time);
  const isToday = date.toDateString() === new Date(now).toDateString();
  const clock = date.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  return isToday ? clock : `${date.toLocaleDateString()} ${clock}`;
}
