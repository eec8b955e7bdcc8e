import { expect, it } from 'vitest';

import { inOrder, type LockedPackage } from '../../src/runtime/worker/load_order';

const entry = (name: string, ...depends: string[]): LockedPackage => ({
  name,
  file_name: `${name}.whl`,
  sha256: '',
  install_dir: 'site',
  depends,
});
const LOCK = {
  frame: entry('frame', 'array', 'dates', 'ours'),
  array: entry('array'),
  dates: entry('dates', 'six', 'frame'),
  six: entry('six'),
};

it('puts packages behind what they depend on, once each, also in a circle', () => {
  expect(inOrder('frame', LOCK, {}).map(({ name }) => name)).toEqual(['array', 'six', 'dates', 'frame']);
});

it('leaves out what is loaded and what the lock does not have', () => {
  expect(inOrder('frame', LOCK, { array: 'default channel', dates: 'x' }).map(({ name }) => name)).toEqual(['frame']);
  expect(inOrder('frame', LOCK, { frame: 'default channel' })).toEqual([]);
  expect(inOrder('none', LOCK, {})).toEqual([]);
});
