// CPython's tables of lines, as described in its InternalDocs/code_objects.md. They give each instruction its line, and the columns where its
// source begins and ends there. The columns are most of a table.

const [SHORT_END, ONE_LINE, NO_COLUMNS, LONG, NONE] = [10, 10, 13, 14, 15];
/** Greatest number of code units that one entry describes. */
const MOST_UNITS = 8;

/** Returns a table of the same lines without columns. It is never longer. */
export function withoutColumns(table) {
  const bytes = [];
  for (const { units, step } of mergedEntries(table)) {
    for (let left = units, change = step; left > 0; left -= MOST_UNITS) {
      const kind = step === null ? NONE : NO_COLUMNS;
      bytes.push(128 | (kind << 3) | (Math.min(left, MOST_UNITS) - 1));
      if (step !== null) {
        pushNumber(bytes, change < 0 ? (-change << 1) | 1 : change << 1);
        change = 0;
      }
    }
  }
  return Uint8Array.from(bytes);
}

/** Entries of a table: how many code units they describe, and how many lines on they are; null without a line. Neighbours of one line are one. */
function mergedEntries(table) {
  const merged = [];
  for (const entry of entries(table)) {
    const last = merged.at(-1);
    const isSame = last && (entry.step === null ? last.step === null : last.step !== null && entry.step === 0);
    if (isSame) last.units += entry.units;
    else merged.push(entry);
  }
  return merged;
}

function* entries(table) {
  let at = 0;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 6) {
      const byte = table[at++];
      value |= (byte & 63) << shift;
      if (!(byte & 64)) return value;
    }
  };
  const signed = () => {
    const value = number();
    return value & 1 ? -(value >>> 1) : value >>> 1;
  };
  while (at < table.length) {
    const first = table[at++];
    const kind = (first >>> 3) & 15;
    let step = 0;
    if (kind === NONE) step = null;
    else if (kind < SHORT_END) at += 1;
    else if (kind < NO_COLUMNS) {
      step = kind - ONE_LINE;
      at += 2;
    } else {
      step = signed();
      if (kind === LONG) for (let i = 0; i < 3; i++) number();
    }
    yield { units: (first & 7) + 1, step };
  }
}

function pushNumber(bytes, number) {
  let rest = number;
  for (; rest > 63; rest >>>= 6) bytes.push((rest & 63) | 64);
  bytes.push(rest);
}
