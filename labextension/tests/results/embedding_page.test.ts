import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { EmbeddingPage, readOrigin } from '../../src/results/embedding_page';

describe('the origin of the embedding page', () => {
  it.each(['https://school.example', 'http://127.0.0.1:8000'])('%s is taken', value =>
    expect(readOrigin(value)).toBe(value),
  );
  it('self is that of this page', () => {
    vi.stubGlobal('location', { origin: 'https://school.example' });
    expect(readOrigin('self')).toBe('https://school.example');
    vi.stubGlobal('location', { origin: 'null' });
    expect(readOrigin('self')).toBeNull();
    vi.unstubAllGlobals();
  });
  it.each([
    '*',
    '/',
    '',
    'null',
    'school.example',
    'https://school.example/',
    'https://school.example/path',
    'HTTPS://school.example',
    'https://school.example:443',
    'javascript:alert(1)',
    'file:///x',
    'data:,',
    1,
    null,
    ['https://a.example'],
  ])('%j is refused', value => expect(readOrigin(value)).toBeNull());
});

describe('the embedding page', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function embedded() {
    const counts = { pass: 1, fail: 0, error: 0 };
    const full = (path: string) => ({ path, counts, groups: [] });
    const results = { summary: (path: string) => (path === 'empty.ipynb' ? null : counts), full };
    const changed = new Signal<object, string>(results);
    const postMessage = vi.fn();
    const page = new EmbeddingPage({ ...results, changed }, { postMessage } as unknown as Window);
    return { changed, page, postMessage };
  }

  it('gets nothing if the site names no origin', () => {
    const { changed, postMessage } = embedded();
    changed.emit('a.ipynb');
    vi.runAllTimers();
    expect(postMessage).not.toHaveBeenCalled();
  });

  it('gets one message for many changes, and only if it has the named origin', () => {
    const { changed, page, postMessage } = embedded();
    page.origin = 'https://school.example';
    ['a.ipynb', 'a.ipynb', 'empty.ipynb', 'b.ipynb', 'a.ipynb'].forEach(path => changed.emit(path));
    vi.runAllTimers();
    expect(postMessage.mock.calls.map(([message, origin]) => [message.results.path, origin])).toEqual([
      ['a.ipynb', 'https://school.example'],
      ['b.ipynb', 'https://school.example'],
    ]);
    changed.emit('a.ipynb');
    vi.runAllTimers();
    expect(postMessage).toHaveBeenCalledTimes(3);
  });
});
