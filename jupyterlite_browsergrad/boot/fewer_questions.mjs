// Lets some of CPython's C code ask for signals less often: `str`, `repr` and arithmetic with long numbers, which ask for each value or row of digits. A
// question goes to another module, and takes a tenth of the time of `str(1)`.
//
// These functions call a new one instead of `PyErr_CheckSignals`. It counts, and asks each time in a number. All functions keep their numbers. C code that waits,
// such as `time.sleep`, and JavaScript ask as before.

import {
  CODE,
  exportedFunctions,
  FUNCTION,
  FUNCTIONS,
  GLOBAL,
  GLOBALS,
  joined,
  parse,
  signed,
  sized,
  unsigned,
  variable,
  vectorOf,
  withSections,
} from './wasm_module.mjs';
import { CALL, CONSTANT, END, Reader } from './wasm_reader.mjs';

const QUESTION = 'PyErr_CheckSignals';
/** Functions that ask less often, by their names. */
const ASKERS = ['PyObject_Str', 'PyObject_Repr'];
/** Functions without a name belong to them if the nearest ones before and after them, which have names, have such names. */
const LONG_NUMBERS = /^_?PyLong_/;
/** One question in so many is asked. */
export const ASKED = 16;

/**
 * The module, changed.
 *
 * @returns its bytes, and the number of calls that were changed
 * @throws Error if the module has something that this file does not know, or lacks one of the functions.
 */
export function withFewerQuestions(bytes) {
  const parsed = parse(bytes);
  const { imported, functions, bodies, globals } = parsed;
  const named = exportedFunctions(parsed);
  const numberOf = name => {
    const found = named.find(each => each.name === name);
    if (!found) throw new Error(`the module exports no function ${name}`);
    return found.number;
  };
  const question = numberOf(QUESTION);
  const asked = imported[FUNCTIONS] + question;
  const counted = imported[FUNCTIONS] + functions.length;
  const left = imported[GLOBALS] + globals.length;
  const askers = new Set([...ASKERS.map(numberOf), ...ofLongNumbers(named, bodies.length)]);
  let changed = 0;
  const changedBody = body => {
    const parts = [];
    let end = 0;
    for (const { begin, at } of callsOf(body, asked)) {
      parts.push(body.subarray(end, begin), [CALL, ...unsigned(counted)]);
      end = at;
      changed++;
    }
    return joined([...parts, body.subarray(end)]);
  };
  const newBodies = bodies.map((body, i) => sized(askers.has(i) ? changedBody(body) : body));
  const number = [CONSTANT, ...signed(ASKED)];
  const [get, set] = [0x23, 0x24].map(code => [code, ...unsigned(left)]);
  const countedBody = [
    [0, ...get, CONSTANT, 1, 0x6b, ...set], // left = left - 1
    [...get, CONSTANT, 0, 0x4a, 0x04, 0x40, CONSTANT, 0, 0x0f, END], // if (left > 0) return 0
    [...number, ...set, CALL, ...unsigned(asked), END],
  ].flat();
  const changes = {
    [FUNCTION]: vectorOf([...functions, functions[question]].map(unsigned)),
    [GLOBAL]: vectorOf([...globals.map(global => global.bytes), variable(1)]),
    [CODE]: vectorOf([...newBodies, sized(Buffer.from(countedBody))]),
  };
  return { bytes: withSections(parsed, changes), changed };
}

/** Numbers of the functions without a name that stand between those for long numbers. */
function ofLongNumbers(named, count) {
  const names = new Map(named.map(({ number, name }) => [number, name]));
  const found = [];
  let since = [];
  let isLong = false;
  for (let number = 0; number < count; number++) {
    const name = names.get(number);
    if (name === undefined) {
      since.push(number);
      continue;
    }
    const isAlso = LONG_NUMBERS.test(name);
    if (isLong && isAlso) found.push(...since);
    isLong = isAlso;
    since = [];
  }
  return found;
}

/** Where a function's body calls another one: begin and end of each such instruction. */
function callsOf(body, index) {
  const reader = new Reader(body);
  reader.locals();
  const found = [];
  while (reader.at < body.length) {
    const begin = reader.at;
    if (reader.instruction() === CALL && new Reader(body, begin + 1).number() === index) {
      found.push({ begin, at: reader.at });
    }
  }
  return found;
}
