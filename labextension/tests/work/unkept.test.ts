import { expect, it, vi } from 'vitest';

import type { NotebookContext } from '../../src/work/keeper';
import { UnkeptNotebook } from '../../src/work/unkept';
import { Context, notebook } from './open_notebook';

it('a notebook without a second store holds work once it is another one than was opened', async () => {
  const context = new Context(notebook('x = 1'));
  const changed = vi.fn();
  const unkept = new UnkeptNotebook(context as unknown as NotebookContext, changed);
  await context.ready;
  expect([unkept.hasWork, unkept.isChanged, unkept.savedHash]).toEqual([false, false, '']);
  changed.mockClear();
  context.type('x = 2');
  expect(changed).toHaveBeenCalled();
  expect([unkept.hasWork, unkept.isChanged]).toEqual([true, true]);
  await context.save();
  expect([unkept.hasWork, unkept.isChanged]).toEqual([true, false]);
  await vi.waitFor(() => expect(unkept.savedHash).not.toBe(''));
  context.type('x = 1');
  expect([unkept.hasWork, unkept.isChanged]).toEqual([false, true]);
});
