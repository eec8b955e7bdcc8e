// Reads the binary format of WebAssembly modules.

/** The instruction that gives a constant number of 32 bits, and the end of an expression. */
export const [CONSTANT, END] = [0x41, 0x0b];

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

  constantExpression() {
    const code = this.byte();
    if (code === CONSTANT || code === 0x42 || code === 0x23 || code === 0xd2) this.number();
    else if (code === 0x43) this.at += 4;
    else if (code === 0x44) this.at += 8;
    else if (code === 0xd0) this.number();
    else throw new Error(`a constant expression begins with ${code}`);
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
