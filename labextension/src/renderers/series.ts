/**
 * Finds series of numbers in JSON that can be plotted.
 */
export interface Series {
  x: { name: string; values: number[] };
  lines: { name: string; values: (number | null)[] }[];
}

/** Names of series that become the x axis, in order of preference. */
const X_NAMES = ['x', 'step', 'epoch', 'iteration', 'time', 't'];
const MAX_LINES = 12;
const MAX_POINTS = 200_000;

function isSeries(value: unknown): value is (number | null)[] {
  return (
    Array.isArray(value) &&
    value.length > 1 &&
    value.length <= MAX_POINTS &&
    value.every(item => item === null || typeof item === 'number') &&
    value.some(item => item !== null)
  );
}

function rises(values: (number | null)[]): values is number[] {
  return values.every((value, i) => value !== null && (i === 0 || value > (values[i - 1] as number)));
}

/** Returns the series in an object of equally long lists of numbers, or in one list; null for anything else. */
export function readSeries(data: unknown): Series | null {
  const entries: [string, unknown][] = Array.isArray(data)
    ? [['value', data]]
    : typeof data === 'object' && data !== null
      ? Object.entries(data)
      : [];
  const lines = entries
    .filter((entry): entry is [string, (number | null)[]] => isSeries(entry[1]))
    .map(([name, values]) => ({ name, values }));
  if (!lines.length || lines.length > MAX_LINES || lines.some(one => one.values.length !== lines[0].values.length)) {
    return null;
  }
  const named = X_NAMES.map(name => lines.find(one => one.name.toLowerCase() === name)).find(Boolean);
  if (named && lines.length > 1 && rises(named.values)) {
    return { x: { name: named.name, values: named.values }, lines: lines.filter(one => one !== named) };
  }
  return { x: { name: '', values: lines[0].values.map((_, i) => i) }, lines };
}
