/**
 * Texts that say what Stop can do in a page.
 */
import type { InterruptMode } from '../runtime/protocol';
import { canShare } from '../runtime/sharing';

/** For each mode, the text in the status bar and what to expect of Stop. */
const STOP_TEXTS: Record<InterruptMode, [label: string, tooltip: string]> = {
  'shared-memory': ['Stop: at once', 'Stop interrupts whatever runs, at once, and variables are kept.'],
  'stack-switching': [
    'Stop: within a moment',
    'Stop interrupts waiting code at once and running code within a fraction of a second, and variables are kept. ' +
      'Long calls into JavaScript or C end by a restart.',
  ],
  'service-worker': [
    'Stop: within a moment',
    'Running code asks the site’s service worker from time to time whether it should stop, and variables are kept. ' +
      'Code that awaits may need a restart.',
  ],
  none: [
    'Stop: by restart',
    'Nothing interrupts running Python here: Stop offers to restart the kernel, which loses its variables. ' +
      'Serve the site with COOP and COEP headers, or allow its service worker.',
  ],
};

/** Returns the status bar's text for a mode, and the tooltip: the reason for the mode, and what to expect. */
export function stopTexts(mode: InterruptMode): [label: string, tooltip: string] {
  const [label, expected] = STOP_TEXTS[mode];
  let why = 'The page is not cross-origin isolated';
  if (globalThis.crossOriginIsolated) {
    why =
      'The page is cross-origin isolated' + (canShare() ? '' : ', but this browser cannot share memory with Python');
  }
  return [label, `${why}: ${expected}`];
}
