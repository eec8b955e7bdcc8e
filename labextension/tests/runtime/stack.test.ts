import { describe, expect, it } from 'vitest';

import { canSuspend, hasScriptBetween } from '../../src/runtime/worker/stack';

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
    const firefox = 'canSuspend@http://site/worker.js:1:2\n@http://site/a.wasm:wasm-function[7]:0x1f\nenter@http://site/a.js:1:2';
    expect(hasScriptBetween(firefox)).toBe(false);
  });

  it('is nothing where no WebAssembly runs', () => {
    expect(canSuspend()).toBe(true);
  });
});
