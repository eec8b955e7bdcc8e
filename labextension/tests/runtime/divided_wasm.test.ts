import { beforeAll, describe, expect, it } from 'vitest';

import { divided, instrumented } from '../../../jupyterlite_browsergrad/boot/divide_wasm.mjs';
import { exportedFunctions, parse } from '../../../jupyterlite_browsergrad/boot/wasm_module.mjs';
import type { LazyAsset } from '../../src/runtime/worker/lazy_assets';
import { withRest } from '../../src/runtime/worker/rest_of_wasm';
import { assembledText } from './wat_text';

/** A module whose functions call each other directly and through its table, and share memory, a variable and an import. */
const TEXT = `(module
  (type $binary (func (param i32 i32) (result i32)))
  (import "env" "note" (func $note (param i32)))
  (memory (export "memory") 1)
  (table (export "table") 2 2 funcref)
  (global $calls (mut i32) (i32.const 0))
  (data (i32.const 8) "\\2a")
  (elem (i32.const 0) $add $multiply)
  (func $add (export "add") (type $binary)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.add (local.get 0) (local.get 1)))
  (func $multiply (export "multiply") (type $binary)
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (call $note (local.get 0))
    (i32.mul (local.get 0) (local.get 1)))
  (func $square (export "square") (param i64 f64 i32) (result i32)
    (call_indirect (type $binary) (local.get 2) (local.get 2) (i32.const 1)))
  (func $both (export "both") (param i32) (result i32)
    (call $add (call $square (i64.const 0) (f64.const 0) (local.get 0)) (i32.load8_u (i32.const 8))))
  (func (export "calls") (result i32) (global.get $calls)))`;
const NAMES = ['add', 'multiply', 'square', 'both', 'calls'];

let bytes: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  bytes = await assembledText(TEXT);
});

type Functions = Record<string, (...values: unknown[]) => number>;

function instance(first: BufferSource, rest: Uint8Array | Error) {
  const noted: number[] = [];
  const imports = { env: { note: (value: number) => noted.push(value) } };
  const asset = {
    reads: 0,
    onTaken: null as (() => void) | null,
    release: () => undefined,
    get() {
      asset.reads++;
      if (rest instanceof Error) {
        throw rest;
      }
      return rest;
    },
  };
  const made = new WebAssembly.Instance(new WebAssembly.Module(first), imports);
  const { exports } = withRest(made, imports, asset as unknown as LazyAsset);
  return { exports: exports as unknown as Functions, noted, asset };
}

describe('a divided module', () => {
  it('knows its functions by name', () => {
    expect(exportedFunctions(parse(bytes)).map(({ name }) => name)).toEqual(NAMES);
  });

  it.each(Array.from({ length: 32 }, (_, which) => [which]))('does what the whole one does (part %i)', which => {
    const { first, rest } = divided(bytes, (i: number) => Boolean((which >> i) & 1));
    const { exports, noted, asset } = instance(first, rest);
    expect(exports.both(5)).toBe(67);
    expect([exports.add(1, 2), exports.multiply(3, 4), exports.square(0n, 0, 6), exports.calls()]).toEqual([
      3, 12, 36, 5,
    ]);
    expect(noted).toEqual([5, 3, 6]);
    expect(asset.reads).toBe(which === 31 ? 0 : 1);
    expect(Object.keys(exports).sort()).toEqual([...NAMES, 'memory', 'table'].sort());
  });

  it('loads the rest when the page has fetched it', () => {
    const { first, rest } = divided(bytes, (i: number) => i === 0);
    const { exports, asset } = instance(first, rest);
    asset.onTaken!();
    asset.onTaken!();
    expect([exports.both(5), asset.reads]).toEqual([67, 1]);
  });

  it('says what is wrong with the rest, each time that it is needed', () => {
    const { first } = divided(bytes, (i: number) => i === 0);
    const { exports, asset } = instance(first, new Error('it is damaged'));
    expect(() => exports.both(5)).toThrow('it is damaged');
    expect(() => exports.both(5)).toThrow('it is damaged');
    expect([exports.add(1, 2), asset.reads]).toEqual([3, 2]);
  });

  it('is an ordinary module if it was not divided', () => {
    expect(instance(bytes, new Error()).exports.both(5)).toBe(67);
  });

  it('can note which functions are called', () => {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(instrumented(bytes)), {
      env: { note: () => undefined },
    });
    (exports as unknown as Functions).square(0n, 0, 2);
    const notes = NAMES.map((_, i) => (exports[`browsergrad:called:${i}`] as WebAssembly.Global).value);
    expect(notes).toEqual([0, 1, 1, 0, 0]);
  });
});
