// Reads the binary format of WebAssembly modules.

/** The instruction that gives a constant number of 32 bits, the end of an expression, and a call of a function by its number. */
export const [CONSTANT, END, CALL] = [0x41, 0x0b, 0x10];

/** Instructions that give a constant: numbers, variables, references. */
const CONSTANTS = new Set([CONSTANT, 0x42, 0x43, 0x44, 0x23, 0xd0, 0xd2]);
/** Instructions by what follows their code: one number, two numbers, nothing. */
const ONE = new Set([
  ...[0x02, 0x03, 0x04, 0x06, 0x07, 0x08, 0x09, 0x18], // blocks and exceptions
  ...[0x0c, 0x0d, CALL, 0x12, ...range(0x20, 0x26)], // branches, calls, variables, tables
  ...[0x3f, 0x40, CONSTANT, 0x42, 0xd0, 0xd2], // memory, constants, references
]);
const TWO = new Set([0x11, 0x13, ...range(0x28, 0x3e)]); // calls through a table; memory: alignment, offset
const NONE = new Set([0x00, 0x01, 0x05, END, 0x0f, 0x19, 0x1a, 0x1b, 0xd1, ...range(0x45, 0xc4)]);
/** What follows the code of other instructions: reads it. */
const OTHERS = new Map([
  [0x0e, reader => [reader.vector(() => reader.number()), reader.number()]], // br_table
  [0x1c, reader => reader.vector(() => reader.valueType())], // select with types
  [0x43, reader => reader.take(4)],
  [0x44, reader => reader.take(8)],
  [0xfc, reader => more(reader)],
]);
/** How many numbers follow the second code of the instructions that begin with 0xfc. */
const MORE = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

function more(reader) {
  const count = MORE[reader.number()];
  if (count === undefined) throw new Error('an instruction of memories or tables is not known');
  for (let i = 0; i < count; i++) reader.number();
}

export class Reader {
  constructor(bytes, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  byte() {
    return this.bytes[this.at++];
  }

  number() {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  /** A signed number of 32 bits. */
  signedNumber() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 127) << shift;
      if (byte < 128) return byte & 64 && shift < 25 ? value | (-1 << (shift + 7)) : value;
    }
  }

  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  name() {
    return this.take(this.number());
  }

  /** Reads a vector: calls `read` for each of its elements, and returns the results. */
  vector(read) {
    return Array.from({ length: this.number() }, read);
  }

  /** Returns the bytes that `read` reads. */
  part(read) {
    const begin = this.at;
    read();
    return this.bytes.subarray(begin, this.at);
  }

  valueType() {
    const kind = this.byte();
    if (kind === 0x63 || kind === 0x64) this.number(); // a reference to a type
  }

  limits() {
    const flags = this.byte();
    this.number();
    if (flags & 1) this.number();
  }

  table() {
    this.valueType();
    this.limits();
  }

  global() {
    this.valueType();
    this.byte();
  }

  tag() {
    this.byte();
    this.number();
  }

  /** The variables at the beginning of a function's body. */
  locals() {
    this.vector(() => {
      this.number();
      this.valueType();
    });
  }

  /** Reads an instruction. @returns its code. @throws Error if it is not known. */
  instruction() {
    const code = this.byte();
    if (OTHERS.has(code)) {
      OTHERS.get(code)(this);
    } else if (ONE.has(code)) {
      this.number();
    } else if (TWO.has(code)) {
      this.number();
      this.number();
    } else if (!NONE.has(code)) {
      throw new Error(`an instruction has the code ${code}, which is not known`);
    }
    return code;
  }

  constantExpression() {
    const code = this.instruction();
    if (!CONSTANTS.has(code)) throw new Error(`a constant expression begins with ${code}`);
    if (this.byte() !== END) throw new Error('a constant expression is long');
  }
}

/** The sections of a module: number and content. */
export function sectionsOf(bytes) {
  const reader = new Reader(bytes, 8);
  const sections = [];
  while (reader.at < bytes.length) {
    const id = reader.byte();
    sections.push({ id, content: reader.take(reader.number()) });
  }
  return sections;
}
