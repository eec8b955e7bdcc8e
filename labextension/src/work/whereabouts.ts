/**
 * Says where copies of a notebook are, and what this browser does with its storage.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { timeText } from './words';

/** Ms after which Safari removes what a site has stored, if nobody visits it. */
const SAFARI_MS = 7 * 24 * 60 * 60 * 1000;

/** Where copies of a notebook are. */
export interface Whereabouts {
  /** Whether it differs from what the site published. */
  hasWork: boolean;
  isDirty: boolean;
  /** When the last copy outside the browser was made; null if there is none. */
  copied: number | null;
  /** Name of the folder that is kept in step, if that copy is there. */
  folder?: string;
  /** Whether that copy has the present state. */
  isCurrent: boolean;
}

/** What is known of the browser's storage. */
export interface StorageFacts {
  /** Whether the browser has promised to keep it; null if it does not say. */
  isPersisted: boolean | null;
  isSafari: boolean;
  /** Whether the page is in a frame of another site. */
  isFramed: boolean;
  /** Why no history is kept; empty if one is. */
  noHistory: string;
  now: number;
}

/** Whether leaving would leave work in the browser alone. */
export function isOnlyHere({ hasWork, isDirty, isCurrent }: Whereabouts): boolean {
  return isDirty || (hasWork && !isCurrent);
}

/** A few words and what there is to say about them; empty if the notebook holds no work. */
export function whereaboutsTexts(
  place: Whereabouts,
  facts: StorageFacts,
  trans: TranslationBundle,
): [label: string, about: string] {
  if (!place.hasWork && !place.isDirty && place.copied === null) {
    return ['', ''];
  }
  const time = place.copied === null ? '' : timeText(place.copied, facts.now);
  const label =
    place.copied === null
      ? trans.__('Only in this browser')
      : place.isCurrent && !place.isDirty
        ? place.folder === undefined
          ? trans.__('On disk since %1', time)
          : trans.__('In folder “%2” since %1', time, place.folder)
        : trans.__('Changed since copy of %1', time);
  const about =
    place.copied === null
      ? trans.__('There is no copy of this notebook outside this browser.')
      : place.folder === undefined
        ? trans.__('The last copy outside this browser was downloaded at %1.', time)
        : trans.__('The last copy outside this browser was written into the folder “%2” at %1.', time, place.folder);
  return [label, [about, ...storageTexts(facts, trans)].join(' ')];
}

/** What this browser does with its storage, in sentences. */
export function storageTexts(facts: StorageFacts, trans: TranslationBundle): string[] {
  const texts: string[] = [];
  if (facts.isPersisted) {
    texts.push(trans.__('This browser has promised to keep it until you clear its data.'));
  } else if (facts.isSafari) {
    texts.push(trans.__('Safari deletes it if you do not come back before %1.', safariDate(facts)));
  } else if (facts.isPersisted === false) {
    texts.push(
      trans.__(
        'The browser may delete it when the disk is full. “Clear browsing data” deletes it as well, and so does the end of a private window.',
      ),
    );
  }
  if (facts.isFramed) {
    texts.push(
      trans.__('This page is in a frame of another site: opened in a tab of its own, it may not find this work.'),
    );
  }
  texts.push(
    facts.noHistory
      ? `${facts.noHistory} ${trans.__('In a private window, all is gone when it closes.')}`
      : trans.__('Earlier states are in the history.'),
  );
  return texts;
}

/** What is said once, when there is something to lose: that this page's storage ends sooner than others'. Empty if it does not. */
export function warningText(facts: StorageFacts, trans: TranslationBundle): string {
  if (facts.isFramed) {
    return trans.__(
      'Your work is in this frame alone: a tab of its own may not find it. Download it before you leave.',
    );
  }
  return facts.isSafari && !facts.isPersisted
    ? trans.__('Safari deletes your work if you do not come back before %1. Download it to keep it.', safariDate(facts))
    : '';
}

function safariDate({ now }: StorageFacts): string {
  return new Date(now + SAFARI_MS).toLocaleDateString();
}

/** Asks the browser. @param noHistory - why no history is kept; empty if one is. */
export async function storageFacts(noHistory: string): Promise<StorageFacts> {
  const isPersisted = (await navigator.storage?.persisted?.().catch(() => null)) ?? null;
  const agent = navigator.userAgent;
  let isFramed = window.parent !== window;
  try {
    isFramed = isFramed && window.parent.location.origin !== location.origin;
  } catch {
    // The parent is of another origin, and tells nothing.
  }
  const isSafari = /Safari\//.test(agent) && !/Chrom(e|ium)\/|Android|CriOS|FxiOS|Edg/.test(agent);
  return { isPersisted, isSafari, isFramed, noHistory, now: Date.now() };
}
