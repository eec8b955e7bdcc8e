// Takes WebAssembly modules apart, and puts them together again.

import { CONSTANT, END, Reader, sectionsOf } from './wasm_reader.mjs';

/** Sections of a module. */
export const [TYPE, IMPORT, FUNCTION, TABLE, MEMORY, GLOBAL, EXPORT, ELEMENT, CODE, TAG] = [
  1, 2, 3, 4, 5, 6, 7, 9, 10, 13,
];
/** Kinds of imports and exports. */
export const [FUNCTIONS, TABLES, MEMORIES, GLOBALS, TAGS] = [0, 1, 2, 3, 4];
export const [FUNCREF, FUNCTION_TYPE] = [0x70, 0x60];
const I32 = 0x7f;

// --- reading

/** What of the kind an import or a definition is, without its name. */
const DESCRIPTIONS = [
  reader => reader.number(),
  reader => reader.table(),
  reader => reader.limits(),
  reader => reader.global(),
  reader => reader.tag(),
];

/** Takes a module apart. @throws Error if it has something that this file does not know. */
export function parse(bytes) {
  const sections = sectionsOf(bytes);
  const vector = (id, read) => {
    const section = sections.find(each => each.id === id);
    if (!section) return [];
    const inside = new Reader(section.content);
    return inside.vector(() => read(inside));
  };
  const described = kind => inside => inside.part(() => DESCRIPTIONS[kind](inside));
  const types = vector(TYPE, inside => {
    const begin = inside.at;
    if (inside.byte() !== FUNCTION_TYPE) throw new Error('a type is not that of a function');
    const parameters = inside.vector(() => inside.valueType()).length;
    inside.vector(() => inside.valueType());
    return { parameters, bytes: inside.bytes.subarray(begin, inside.at) };
  });
  const imports = vector(IMPORT, inside => {
    const begin = inside.at;
    inside.name();
    inside.name();
    const kind = inside.byte();
    DESCRIPTIONS[kind](inside);
    return { kind, bytes: inside.bytes.subarray(begin, inside.at) };
  });
  const globals = vector(GLOBAL, inside => {
    const type = inside.part(() => inside.global());
    return { type, bytes: Buffer.concat([type, inside.part(() => inside.constantExpression())]) };
  });
  return {
    sections,
    types,
    imports,
    globals,
    functions: vector(FUNCTION, inside => inside.number()),
    tables: vector(TABLE, described(TABLES)),
    memories: vector(MEMORY, described(MEMORIES)),
    tags: vector(TAG, described(TAGS)),
    exports: vector(EXPORT, inside => {
      const begin = inside.at;
      const name = inside.name();
      const [kind, index] = [inside.byte(), inside.number()];
      return { name: Buffer.from(name).toString(), kind, index, bytes: inside.bytes.subarray(begin, inside.at) };
    }),
    bodies: vector(CODE, inside => inside.take(inside.number())),
    /** How many of each kind are imported. */
    imported: [FUNCTIONS, TABLES, MEMORIES, GLOBALS, TAGS].map(
      kind => imports.filter(each => each.kind === kind).length,
    ),
  };
}

/** The functions that a module defines and exports: name and number. Numbers count from the first function that the module defines. */
export function exportedFunctions({ exports, imported }) {
  const own = exports.filter(({ kind, index }) => kind === FUNCTIONS && index >= imported[FUNCTIONS]);
  return own.map(({ name, index }) => ({ name, number: index - imported[FUNCTIONS] }));
}

// --- writing

export function unsigned(value) {
  const bytes = [];
  do {
    bytes.push((value % 128) | (value >= 128 ? 128 : 0));
    value = Math.floor(value / 128);
  } while (value > 0);
  return bytes;
}

export function signed(value) {
  const bytes = [];
  for (;;) {
    const byte = value & 127;
    value >>= 7;
    if ((value === 0 && !(byte & 64)) || (value === -1 && byte & 64)) return [...bytes, byte];
    bytes.push(byte | 128);
  }
}

export const joined = parts => Buffer.concat(parts.map(part => (Array.isArray(part) ? Buffer.from(part) : part)));
export const sized = bytes => joined([unsigned(bytes.length), bytes]);
export const named = name => sized(Buffer.from(name));
export const vectorOf = parts => joined([unsigned(parts.length), ...parts]);
export const section = (id, content) => joined([[id], sized(content)]);
export const moduleOf = sections => joined([Buffer.from('\0asm\x01\0\0\0', 'latin1'), ...sections]);

/** A global variable for a number of 32 bits. */
export const variable = value => Buffer.from([I32, 1, CONSTANT, ...signed(value), END]);

/** The module with some of its sections replaced. @throws Error if it does not have one of them. */
export function withSections(parsed, changes) {
  const missing = Object.keys(changes).filter(changed => !parsed.sections.some(({ id }) => id === Number(changed)));
  if (missing.length) throw new Error(`the module has no section ${missing}`);
  return moduleOf(parsed.sections.map(({ id, content }) => section(id, changes[id] ?? content)));
}
