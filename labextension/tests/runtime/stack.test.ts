import { describe, expect, it } from 'vitest';

import { canSuspend, entryOf, hasScriptBetween } from '../../src/runtime/worker/stack';

const script = (name: string): string => `    at ${name} (http://site/worker.js:1:2)`;
const wasm = '    at http://site/pyodide.asm.wasm:wasm-function[7]:0x1f';
const trace = (...frames: string[]): string => ['Error', ...frames].join('\n');

describe('what stands between the caller and where Python was entered', () => {
  it('may be WebAssembly', () => {
    expect(hasScriptBetween(trace(script('tick'), wasm, wasm, script('enter'), script('async run')))).toBe(false);
  });

  it('must not be JavaScript', () => {
    expect(hasScriptBetween(trace(script('tick'), wasm, script('trampoline'), wasm, script('enter')))).toBe(true);
  });

  it("is read from other engines' traces, too", () => {
    const firefox =
      'canSuspend@http://site/worker.js:1:2\n@http://site/a.wasm:wasm-function[7]:0x1f\nenter@http://site/a.js:1:2';
    expect(hasScriptBetween(firefox)).toBe(false);
  });

  it('is nothing where no WebAssembly runs', () => {
    expect(canSuspend({})).toBe(true);
  });
});

describe('where JavaScript entered WebAssembly', () => {
  const at = (index: number): string => wasm.replace('7', String(index));

  it('is the outermost of its functions', () => {
    expect(entryOf(trace(script('can'), at(3), at(7), at(12), script('onFulfilled'), script('async run')))).toBe('12');
    expect(entryOf(trace(script('can'), at(3), at(7)))).toBe('7');
    expect(entryOf(trace(script('can')))).toBe(null);
  });

  // (module (import "m" "f" (func $f (result i32))) (func (export "plain") (result i32) call $f) (func (export "other") (result i32) call $f))
  const bytes = Uint8Array.from([
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 127, 2, 7, 1, 1, 109, 1, 102, 0, 0, 3, 3, 2, 0, 0, 7, 17, 2, 5, 112,
    108, 97, 105, 110, 0, 1, 5, 111, 116, 104, 101, 114, 0, 2, 10, 11, 2, 4, 0, 16, 0, 11, 4, 0, 16, 0, 11,
  ]);

  it('tells calls that Pyodide takes no note of from others', async () => {
    let plain: (() => number) | undefined;
    const imports = { m: { f: () => Number(canSuspend({ _create_promise_handles_result_helper: plain })) } };
    const { instance } = await WebAssembly.instantiate(bytes, imports);
    const exported = instance.exports as Record<string, () => number>;
    plain = exported.plain;
    const traces = Error as { prepareStackTrace?: unknown };
    const { prepareStackTrace } = traces;
    delete traces.prepareStackTrace; // the test runner writes traces its own way
    try {
      expect([exported.plain(), exported.other()]).toEqual([0, 1]);
    } finally {
      traces.prepareStackTrace = prepareStackTrace;
    }
  });
});
