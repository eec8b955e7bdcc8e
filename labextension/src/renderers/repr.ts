/**
 * Parses the repr of Python's built-in values. Nothing is evaluated. What cannot be parsed stays text.
 */
export type Value =
  | { type: 'number'; raw: string; value: number }
  | { type: 'str'; raw: string; value: string }
  | { type: 'list' | 'tuple' | 'set'; raw: string; items: Value[] }
  | { type: 'dict'; raw: string; entries: [key: Value, value: Value][] }
  /** Compared as text: `None`, `True`, `b'…'`, `Point(x=1)`, `<object …>`. */
  | { type: 'other'; raw: string };

/** Deepest nesting and longest repr that are parsed. Others are compared as text. */
const MAX_DEPTH = 50;
const MAX_LENGTH = 20_000;

const NUMBER = /[+-]?(?:inf|nan|(?:\d[\d_]*\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?![\w.(])/iy;
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y;
const ESCAPE = /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([\s\S]))/gi;
const NAMED: Record<string, string> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };
const CLOSING: Record<string, string> = { '(': ')', '[': ']', '{': '}' };

class Unreadable extends Error {}

function unescaped(text: string): string {
  return text.replace(ESCAPE, (all, x?: string, u?: string, U?: string, one?: string) => {
    const hex = x ?? u ?? U;
    const code = hex === undefined ? -1 : parseInt(hex, 16);
    return code >= 0 && code <= 0x10ffff ? String.fromCodePoint(code) : (NAMED[one ?? ''] ?? all);
  });
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  read(): Value {
    const value = this.value(0);
    this.space();
    if (this.at !== this.text.length) {
      throw new Unreadable();
    }
    return value;
  }

  private match(pattern: RegExp): string | null {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    return found ? found[0] : null;
  }

  private space(): void {
    while (' \n\t'.includes(this.text[this.at] ?? 'x')) {
      this.at++;
    }
  }

  private value(depth: number): Value {
    if (depth > MAX_DEPTH) {
      throw new Unreadable();
    }
    this.space();
    const number = this.match(NUMBER);
    if (number !== null) {
      this.at += number.length;
      const plain = number.replaceAll('_', '').toLowerCase();
      const value = Number(plain.replace('inf', 'Infinity'));
      return { type: 'number', raw: number, value };
    }
    const string = this.match(STRING);
    if (string !== null) {
      this.at += string.length;
      return { type: 'str', raw: string, value: unescaped(string.slice(1, -1)) };
    }
    const start = this.at;
    const opening = this.text[start];
    if (opening === '[' || opening === '(') {
      const items = this.items(CLOSING[opening], depth);
      const raw = this.text.slice(start, this.at);
      return { type: opening === '[' ? 'list' : 'tuple', raw, items };
    }
    if (opening === '{') {
      return this.braces(depth);
    }
    return this.other();
  }

  private items(closing: string, depth: number): Value[] {
    const items: Value[] = [];
    this.at++;
    for (;;) {
      this.space();
      if (this.text[this.at] === closing) {
        this.at++;
        return items;
      }
      items.push(this.value(depth + 1));
      this.separator(closing);
    }
  }

  private separator(closing: string): void {
    this.space();
    if (this.text[this.at] === ',') {
      this.at++;
    } else if (this.text[this.at] !== closing) {
      throw new Unreadable();
    }
  }

  private braces(depth: number): Value {
    const start = this.at++;
    const items: Value[] = [];
    const entries: [Value, Value][] = [];
    for (;;) {
      this.space();
      if (this.text[this.at] === '}') {
        this.at++;
        break;
      }
      const key = this.value(depth + 1);
      this.space();
      if (this.text[this.at] === ':') {
        this.at++;
        entries.push([key, this.value(depth + 1)]);
      } else {
        items.push(key);
      }
      this.separator('}');
    }
    if (items.length && entries.length) {
      throw new Unreadable();
    }
    const raw = this.text.slice(start, this.at);
    return items.length ? { type: 'set', raw, items } : { type: 'dict', raw, entries };
  }

  /** Reads up to the next comma, colon or bracket of the container. */
  private other(): Value {
    const start = this.at;
    const open: string[] = [];
    while (this.at < this.text.length) {
      const character = this.text[this.at];
      const string = character === "'" || character === '"' ? this.match(STRING) : null;
      if (string !== null) {
        this.at += string.length;
        continue;
      }
      if (character === "'" || character === '"') {
        throw new Unreadable();
      }
      if (character in CLOSING) {
        open.push(CLOSING[character]);
      } else if (character === '<') {
        open.push('>');
      } else if (open.length && character === open[open.length - 1]) {
        open.pop();
      } else if (!open.length && ',:)]}'.includes(character)) {
        break;
      }
      this.at++;
    }
    const raw = this.text.slice(start, this.at).trim();
    if (!raw || open.length) {
      throw new Unreadable();
    }
    return { type: 'other', raw };
  }
}

/** Returns the value of a repr; null if it cannot be parsed. */
export function readRepr(text: string): Value | null {
  if (text.length > MAX_LENGTH) {
    return null;
  }
  try {
    return new Reader(text).read();
  } catch (error) {
    if (error instanceof Unreadable) {
      return null;
    }
    throw error;
  }
}
