import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { ASKED, withFewerQuestions } from '../../../jupyterlite_browsergrad/boot/fewer_questions.mjs';
import { assembledText } from './wat_text';

/** A module with functions of CPython's, each of which asks for a signal. `%` stands for more of it. */
const TEXT = `(module
  (import "env" "helper" (func $helper (result i32)))
  (memory 1)
  (table 1 1 funcref)
  (global $any (mut i32) (i32.const 5))
  (elem (i32.const 0) $sleep)
  (func $question (export "PyErr_CheckSignals") (result i32) (call $helper))
  (func (export "PyObject_Str") (param i32 f64) (result i32) (local i64 f32)
    (local.set 2 (i64.const -77777777777))
    (local.set 3 (f32.const 1.5))
    (block $end (result i32)
      (br_if $end (i32.const 7) (call $question))
      (drop)
      (block (block (block (br_table 0 1 2 (local.get 0)))))
      (i32.store offset=300 (i32.const 16) (i32.trunc_sat_f64_s (local.get 1)))
      (memory.fill (i32.const 0) (i32.const 0x10) (i32.const 272))
      (call_indirect (result i32) (i32.const 0))
      (drop)
      (i32.load offset=300 (i32.const 16))))
  (func (export "PyObject_Repr") (result i32) (call $question))
  (func $sleep (export "sleep") (result i32) (global.get $any))
  (func (export "PyLong_First"))
  (func $digits (result i32) (i32.add (call $question) (call $question)))
  (func (export "_PyLong_Last") (result i32) (call $digits))
  (func $wait (result i32) (call $question))
  (func (export "wait") (result i32) (call $wait))
  %)`;

describe('a module with fewer questions', () => {
  it('asks once in a number for texts and long numbers, and each time for all else', async () => {
    const { bytes, changed } = withFewerQuestions(await assembledText(TEXT.replace('%', '')));
    expect(changed).toBe(4);
    let questions = 0;
    let answer = 0;
    const helper = (): number => {
      questions++;
      return answer;
    };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { helper } });
    const call = exports as Record<string, (...values: number[]) => number>;
    const asked = (name: string, count: number): number => {
      questions = 0;
      for (let i = 0; i < count; i++) {
        call[name](1, 42.5);
      }
      return questions;
    };
    expect(asked('PyObject_Str', 3 * ASKED)).toBe(3);
    expect(asked('PyObject_Repr', 3 * ASKED)).toBe(3);
    expect(asked('_PyLong_Last', ASKED)).toBe(2);
    expect(asked('wait', 5)).toBe(5);
    expect(asked('PyErr_CheckSignals', 5)).toBe(5);
    expect(call.PyObject_Str(0, 42.5)).toBe(42);
    answer = 1;
    expect(Array.from({ length: ASKED }, () => call.PyObject_Str(0, 42.5))).toContain(7);
  });

  it('is not made of one that lacks a function, or has instructions that are not known there', async () => {
    const lacking = await assembledText(TEXT.replace('%', '').replace('PyObject_Repr', 'PyObject_Other'));
    expect(() => withFewerQuestions(lacking)).toThrow('exports no function PyObject_Repr');
    const unknown = await assembledText(
      TEXT.replace('%', '').replace('(func (export "PyObject_Repr") (result i32)', '$& (drop (v128.const i64x2 1 2))'),
    );
    expect(() => withFewerQuestions(unknown)).toThrow('an instruction has the code 253');
  });

  it("can be made of Pyodide's, where texts and long numbers ask in six places", () => {
    const { bytes, changed } = withFewerQuestions(readFileSync('node_modules/pyodide/pyodide.asm.wasm'));
    expect(changed).toBe(6);
    expect(WebAssembly.validate(bytes)).toBe(true);
  });
});
