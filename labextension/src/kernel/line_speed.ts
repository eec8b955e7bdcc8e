/**
 * Judges how fast the line to the site is, by what the page has fetched already.
 */
import { savesData } from './expected_imports';

/** Below this rate, in Mbit/s, a few bytes less save more time than it takes to unpack them. */
const SLOW_MBIT = 10;
/** Bytes that say enough about a line. */
const LEAST_BYTES = 500_000;

/** What is used of `PerformanceResourceTiming`: times in ms, and bytes that came over the line. */
export type Fetched = Pick<PerformanceResourceTiming, 'responseStart' | 'responseEnd' | 'transferSize'>;

/** The rate in Mbit/s at which these files came, as far as they came at the same time; null if they are too few. */
export function rateOf(files: Fetched[]): number | null {
  let bytes = 0;
  let ms = 0;
  let until = 0;
  for (const { responseStart, responseEnd, transferSize } of [...files].sort(
    (a, b) => a.responseStart - b.responseStart,
  )) {
    if (transferSize && responseStart) {
      bytes += transferSize;
      ms += Math.max(0, responseEnd - Math.max(until, responseStart));
      until = Math.max(until, responseEnd);
    }
  }
  return bytes >= LEAST_BYTES && ms ? (bytes * 8) / (ms * 1000) : null;
}

/** Whether the line is slow, or the user wants few bytes. */
export function isSlowLine(): boolean {
  const files = performance.getEntriesByType('resource') as PerformanceResourceTiming[];
  const rate = rateOf(files.filter(({ name }) => name.startsWith(location.origin)));
  return savesData() || (rate !== null && rate < SLOW_MBIT);
}
