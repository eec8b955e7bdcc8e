/** What a sealed worker offers. */
import { expect, it, vi } from 'vitest';

import { sealScope } from '../../src/runtime/worker/seal';

it('a sealed worker looks to Pyodide like a module worker of a browser', () => {
  vi.stubGlobal('navigator', {});
  const scope: Record<string, unknown> = { Deno: {} };
  sealScope(scope);
  expect(Object.keys(scope)).toEqual(['importScripts']);
  expect(scope.importScripts).toThrow(TypeError);
});
