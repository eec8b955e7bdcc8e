/**
 * Which versions are kept: all of the last hour, fewer of the time before.
 */
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Up to an age, in ms, the last version of each span of so many ms is kept. */
const STEPS: readonly { age: number; span: number }[] = [
  { age: HOUR, span: 0 },
  { age: DAY, span: 10 * MINUTE },
  { age: 7 * DAY, span: HOUR },
  { age: 60 * DAY, span: DAY },
  { age: Number.POSITIVE_INFINITY, span: 7 * DAY },
];
/** How long a version is kept that was made before something replaced the notebook, in ms. */
const MARKED_AGE = 30 * DAY;
export const MAX_VERSIONS = 200;

export interface Dated {
  /** Ms since 1970. */
  time: number;
  /** Whether it is the last state before the notebook was replaced. */
  isMarked: boolean;
}

/**
 * Returns the versions that are to be removed. The newest one always stays.
 *
 * @param versions - in any order.
 */
export function superfluous<T extends Dated>(versions: readonly T[], now: number, most = MAX_VERSIONS): T[] {
  const newestFirst = [...versions].sort((a, b) => b.time - a.time);
  const spans = new Set<string>();
  let kept = 0;
  return newestFirst.filter((version, i) => {
    const age = Math.max(now - version.time, 0);
    const { span } = STEPS.find(step => age < step.age)!;
    // Spans are those of the clock, so that the same versions stay whenever this is asked.
    const key = span ? `${span} ${Math.floor(version.time / span)}` : `one ${i}`;
    const isFirst = !spans.has(key);
    spans.add(key);
    const isWanted = i === 0 || ((isFirst || (version.isMarked && age < MARKED_AGE)) && kept < most);
    kept += Number(isWanted);
    return !isWanted;
  });
}
