import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { Copies } from '../../src/work/copies';
import {
  isOnlyHere,
  warningText,
  whereaboutsTexts,
  type StorageFacts,
  type Whereabouts,
} from '../../src/work/whereabouts';
import { MemoryFiles } from './memory_files';

const trans = nullTranslator.load('');
const NOW = new Date(2026, 4, 1, 12).getTime();
const PLACE: Whereabouts = { hasWork: true, isDirty: false, copied: null, isCurrent: false };
const FACTS: StorageFacts = { isPersisted: false, isSafari: false, isFramed: false, noHistory: '', now: NOW };
const texts = (place: Partial<Whereabouts>, facts: Partial<StorageFacts> = {}): [string, string] =>
  whereaboutsTexts({ ...PLACE, ...place }, { ...FACTS, ...facts }, trans);

describe('the whereabouts of a notebook', () => {
  it.each([
    [{ hasWork: false }, ''],
    [{}, 'Only in this browser'],
    [{ hasWork: false, isDirty: true }, 'Only in this browser'],
    [{ copied: NOW, isCurrent: true }, 'On disk since 12:00'],
    [{ copied: NOW, isCurrent: true, folder: 'mine' }, 'In folder “mine” since 12:00'],
    [{ copied: NOW, isCurrent: false }, 'Changed since copy of 12:00'],
    [{ copied: NOW, isCurrent: true, isDirty: true }, 'Changed since copy of 12:00'],
  ])('%j are told as %j', (place, label) => {
    const [shown] = texts(place);
    expect(label ? shown.startsWith(label) : shown === '').toBe(true);
  });

  it.each([
    [{ isPersisted: true, isSafari: true }, 'has promised to keep it'],
    [{ isSafari: true }, `before ${new Date(2026, 4, 8).toLocaleDateString()}`],
    [{ isFramed: true }, 'in a frame of another site'],
    [{ noHistory: 'No history is kept.' }, 'No history is kept. In a private window, all is gone'],
    [{}, 'may delete it when the disk is full'],
  ])('with %j, the tooltip tells what the browser does', (facts, words) => {
    expect(texts({}, facts)[1]).toContain(words);
  });

  it.each([
    [{}, true],
    [{ hasWork: false }, false],
    [{ copied: 1, isCurrent: true }, false],
    [{ copied: 1, isCurrent: true, isDirty: true }, true],
    [{ copied: 1, isCurrent: false }, true],
  ])('%j are only here: %s', (place, expected) => {
    expect(isOnlyHere({ ...PLACE, ...place })).toBe(expected);
  });

  it.each([
    [{}, ''],
    [{ isSafari: true }, `before ${new Date(2026, 4, 8).toLocaleDateString()}`],
    [{ isSafari: true, isPersisted: true }, ''],
    [{ isFramed: true, isSafari: true }, 'in this frame alone'],
  ])('with %j, one is warned of %j', (facts, words) => {
    const text = warningText({ ...FACTS, ...facts }, trans);
    expect(words ? text : text === '').toEqual(words ? expect.stringContaining(words) : true);
    expect(text.length, 'JupyterLab shows no more').toBeLessThanOrEqual(140);
  });

  it('without a second store are remembered until the page is left', async () => {
    const copies = new Copies(null, '/');
    await copies.made('a', { time: 1, hash: 'h', folder: 'f' });
    expect(await copies.of('a')).toEqual({ time: 1, hash: 'h', folder: 'f' });
    expect(await copies.of('b')).toBeNull();
  });

  it('are remembered', async () => {
    const files = new MemoryFiles();
    expect(await new Copies(files, '/').of('a')).toBeNull();
    await new Copies(files, '/').made('a', { time: 1, hash: 'h' });
    expect(await new Copies(files, '/').of('a')).toEqual({ time: 1, hash: 'h' });
    expect(await new Copies(files, '/other/').of('a')).toBeNull();
  });
});
