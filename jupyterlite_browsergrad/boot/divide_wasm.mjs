// Divides a WebAssembly module into what a first cell runs, and the rest, which is loaded when something in it is called.
//
// Both parts have all functions under their own numbers, so that no function's code has to be changed. Where a part lacks a function, it has a short one in its place
// that calls the other part's through a table:
//
//   (if (i32.eqz (global.get $loaded)) (then (call $load)))    ;; in the first part only
//   (call_indirect $functions (type …) (local.get 0) … (i32.const slot))
//
// The table has a slot for each function, those of the first part first. Its last slot holds what loads the rest: JavaScript puts it there. The rest imports the
// same as the whole module, and from `first` what the whole module defines: tables, memory, exception tags and global variables.

import {
  CODE,
  ELEMENT,
  EXPORT,
  FUNCREF,
  FUNCTION,
  FUNCTION_TYPE,
  FUNCTIONS,
  GLOBAL,
  GLOBALS,
  IMPORT,
  joined,
  MEMORIES,
  moduleOf,
  named,
  parse,
  section,
  signed,
  sized,
  TABLE,
  TABLES,
  TAGS,
  TYPE,
  unsigned,
  variable,
  vectorOf,
  withSections,
} from './wasm_module.mjs';
import { CONSTANT, END, Reader } from './wasm_reader.mjs';

/** The module from which the rest imports, and what begins the names of its additional exports. */
export const FIRST = 'browsergrad';
const [TABLE_NAME, LOADED_NAME, LOAD_NAME] = ['functions', 'loaded', 'load'].map(name => `${FIRST}:${name}`);

/**
 * A module that notes which of its functions have been called, in global variables that it exports as `browsergrad:called:NUMBER`.
 * Numbers count from the first function that the module defines.
 */
export function instrumented(bytes) {
  const parsed = parse(bytes);
  const first = parsed.imported[GLOBALS] + parsed.globals.length;
  const bodies = parsed.bodies.map((body, i) => {
    const reader = new Reader(body);
    reader.locals();
    const note = [CONSTANT, 1, 0x24, ...unsigned(first + i)];
    return sized(joined([body.subarray(0, reader.at), note, body.subarray(reader.at)]));
  });
  return withSections(parsed, {
    [GLOBAL]: vectorOf([...parsed.globals.map(global => global.bytes), ...bodies.map(() => variable(0))]),
    [EXPORT]: vectorOf([
      ...parsed.exports.map(each => each.bytes),
      ...bodies.map((_, i) => joined([named(`${FIRST}:called:${i}`), [GLOBALS], unsigned(first + i)])),
    ]),
    [CODE]: vectorOf(bodies),
  });
}

/** Code that calls a function of the other part. */
function forwarding({ parameters }, type, table, slot, before = []) {
  const locals = Array.from({ length: parameters }, (_, i) => [0x20, ...unsigned(i)]).flat();
  return sized(
    joined([[0], before, locals, [CONSTANT, ...signed(slot), 0x11, ...unsigned(type), ...unsigned(table), END]]),
  );
}

/**
 * Divides a module.
 *
 * @param isFirst - whether the function of a number belongs to the first part; numbers count from the first one that the module defines
 * @returns both parts as bytes
 * @throws Error if the module has something that this file does not know.
 */
export function divided(bytes, isFirst) {
  const parsed = parse(bytes);
  const { types, functions, bodies, imported, tables, memories, tags, globals } = parsed;
  const numbers = bodies.map((_, i) => i);
  const order = [...numbers.filter(isFirst), ...numbers.filter(i => !isFirst(i))];
  const firsts = numbers.filter(isFirst).length;
  const slots = new Map(order.map((number, slot) => [number, slot]));
  const table = imported[TABLES] + tables.length;
  const loaded = imported[GLOBALS] + globals.length;
  const load = imported[FUNCTIONS] + functions.length;
  const loadType = types.length;
  const check = [0x23, ...unsigned(loaded), 0x45, 0x04, 0x40, 0x10, ...unsigned(load), END];
  const loadBody = sized(
    joined([
      [0, CONSTANT, ...signed(order.length), 0x11, ...unsigned(loadType), ...unsigned(table)],
      [CONSTANT, 1, 0x24, ...unsigned(loaded), END],
    ]),
  );
  const code = (isOwn, before) =>
    bodies.map((body, i) =>
      isOwn(i) ? sized(body) : forwarding(types[functions[i]], functions[i], table, slots.get(i), before),
    );
  const tableType = joined([[FUNCREF, 1], unsigned(order.length + 1), unsigned(order.length + 1)]);
  /** An element segment that fills slots from `slot` on. */
  const filling = (slot, these) =>
    joined([
      [2],
      unsigned(table),
      [CONSTANT, ...signed(slot), END, 0],
      vectorOf(these.map(i => unsigned(imported[FUNCTIONS] + i))),
    ]);
  const allTypes = vectorOf([...types.map(type => type.bytes), Buffer.from([FUNCTION_TYPE, 0, 0])]);

  const exported = new Map(parsed.exports.map(({ kind, index, name }) => [`${kind}:${index}`, name]));
  const nameOf = ({ kind, index }) =>
    kind === TABLES && index === table ? TABLE_NAME : (exported.get(`${kind}:${index}`) ?? `${FIRST}:${kind}:${index}`);
  const shared = [
    ...[...tables, tableType].map((type, i) => ({ kind: TABLES, index: imported[TABLES] + i, type })),
    ...memories.map((type, i) => ({ kind: MEMORIES, index: imported[MEMORIES] + i, type })),
    ...globals.map(({ type }, i) => ({ kind: GLOBALS, index: imported[GLOBALS] + i, type })),
    ...tags.map((type, i) => ({ kind: TAGS, index: imported[TAGS] + i, type })),
  ].map(each => ({ ...each, name: nameOf(each) }));
  const elements = new Reader(parsed.sections.find(({ id }) => id === ELEMENT).content);
  const elementCount = elements.number();
  const first = withSections(parsed, {
    [TYPE]: allTypes,
    [FUNCTION]: vectorOf([...functions, loadType].map(unsigned)),
    [TABLE]: vectorOf([...tables, tableType]),
    [GLOBAL]: vectorOf([...globals.map(global => global.bytes), variable(0)]),
    [EXPORT]: vectorOf([
      ...parsed.exports.map(each => each.bytes),
      ...shared
        .filter(({ kind, index }) => !exported.has(`${kind}:${index}`))
        .map(({ kind, index, name }) => joined([named(name), [kind], unsigned(index)])),
      joined([named(LOADED_NAME), [GLOBALS], unsigned(loaded)]),
      joined([named(LOAD_NAME), [FUNCTIONS], unsigned(load)]),
    ]),
    [ELEMENT]: joined([
      unsigned(elementCount + 1),
      elements.bytes.subarray(elements.at),
      filling(0, order.slice(0, firsts)),
    ]),
    [CODE]: vectorOf([...code(isFirst, check), loadBody]),
  });
  const rest = moduleOf([
    section(TYPE, allTypes),
    section(
      IMPORT,
      vectorOf([
        ...parsed.imports.map(each => each.bytes),
        ...shared.map(({ kind, name, type }) => joined([named(FIRST), named(name), [kind], type])),
      ]),
    ),
    section(FUNCTION, vectorOf(functions.map(unsigned))),
    section(ELEMENT, vectorOf([filling(firsts, order.slice(firsts))])),
    section(CODE, vectorOf(code(i => !isFirst(i), []))),
  ]);
  return { first, rest };
}
