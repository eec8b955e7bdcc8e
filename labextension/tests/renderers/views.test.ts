// @vitest-environment happy-dom
/** The look of outputs: text of user code stays text, and the keyboard reaches everything. */
import { nullTranslator } from '@jupyterlab/translation';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { artifactView } from '../../src/renderers/artifact';
import { AssertionsView, countsText } from '../../src/renderers/assertions';
import { diffView, side } from '../../src/renderers/diff_view';
import { Steps, element, userText, visible } from '../../src/renderers/dom';
import { factories } from '../../src/renderers/factory';
import { search, treeView } from '../../src/renderers/tree';
import { ARTIFACT_MIME, ASSERTIONS_MIME, type Artifact, type Assertion } from '../../src/runtime/events';

const trans = nullTranslator.load('x');
const EVIL = '<img src=x onerror="alert(1)">\u202e';
const textOf = (node: ParentNode, selector: string): (string | null)[] =>
  [...node.querySelectorAll(selector)].map(one => one.textContent);

// Rows and diffs are made in slices of time. Here time stands still unless a test advances it.
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  document.body.replaceChildren();
});

describe('text of user code', () => {
  it.each([
    ['a\n\tb', 'a\n\tb'],
    ['\u0000\u001b[31m', '\\x00\\x1b[31m'],
    ['a\u202eb\u200b', 'a\\u202eb\\u200b'],
    ['\u{e0041}', '\\U000e0041'],
    ['\ud800', '\\ud800'],
  ])('shows what cannot be seen: %j', (text, expected) => expect(visible(text)).toBe(expected));

  it('is cut where it is long, and says so', () => {
    expect(visible('x'.repeat(30), 10)).toBe('xxxxxxxxxx… (30 characters)');
  });

  it('never becomes markup', () => {
    expect(userText(EVIL).querySelector('img')).toBeNull();
    expect(element('p', '', EVIL).children).toHaveLength(0);
  });
});

describe('a long list', () => {
  function make(items: number) {
    const list = element('ul');
    const steps = new Steps<number>(
      list,
      list,
      one => element('li', '', String(one)),
      10,
      left => `${left} left`,
    );
    document.body.append(steps.node);
    steps.show(Array.from({ length: items }, (_, i) => i));
    vi.runAllTimers();
    return { list, steps };
  }
  const more = (): HTMLButtonElement | null => document.querySelector('button');

  it('is shown in steps', () => {
    const { list, steps } = make(25);
    expect([list.children.length, more()?.textContent]).toEqual([10, '15 left']);
    more()!.click();
    vi.runAllTimers();
    expect([list.children.length, more()?.textContent]).toEqual([20, '5 left']);
    more()!.click();
    vi.runAllTimers();
    expect([list.children.length, more()]).toEqual([25, null]);
    expect(document.activeElement).toBe(list.children[20]);
    expect(steps.shown).toHaveLength(25);
  });

  it('grows without making anew what is there', () => {
    const { list, steps } = make(3);
    const [first] = list.children;
    steps.show([0, 1, 2, 3, 4]);
    vi.runAllTimers();
    expect([list.children.length, list.children[0]]).toEqual([5, first]);
    steps.stop();
  });
});

describe('assertions', () => {
  const content = (...assertions: Assertion[]) => ({
    assertions,
    counts: {
      pass: assertions.filter(({ kind }) => kind === 'pass').length,
      fail: assertions.filter(({ kind }) => kind === 'fail').length,
      error: assertions.filter(({ kind }) => kind === 'error').length,
    },
  });
  const pass: Assertion = { kind: 'pass', name: 'adds' };
  const fail: Assertion = { kind: 'fail', name: EVIL, message: 'wrong', expectedRepr: '[1, 2]', actualRepr: '[1, 3]' };
  const error: Assertion = { kind: 'error', name: 'opens', message: 'no file', traceback: 'Traceback: …' };

  function make(goToCell: (() => void) | null = null): AssertionsView {
    const view = new AssertionsView(trans, goToCell);
    document.body.append(view.node);
    return view;
  }

  it('are counted, and what did not pass is in a table', () => {
    const one = make();
    expect(one.update(content(pass, fail, error))).toBe(true);
    expect(textOf(one.node, '.bg-counts strong')).toEqual(['1 passed, 1 failed, 1 error']);
    expect(textOf(one.node, 'tbody .bg-kind')).toEqual(['Failed', 'Error']);
    expect(one.node.querySelector('img')).toBeNull();
    expect(textOf(one.node, 'tbody .bg-message')).toEqual(['wrong', 'no file']);
    expect(textOf(one.node, 'tbody details pre')).toEqual(['Traceback: …']);
    expect(one.node.className).toContain('bg-bad');
  });

  it('that all passed are folded, and named when they are opened', () => {
    const view = make();
    view.update(content(pass, { kind: 'pass', name: 'subtracts' }));
    const details = view.node.querySelector('details')!;
    expect([view.node.className, details.hidden]).toEqual(['bg-assertions bg-good', false]);
    expect(textOf(details, 'li')).toEqual([]);
    details.open = true;
    details.dispatchEvent(new Event('toggle'));
    expect(textOf(details, 'li')).toEqual(['adds', 'subtracts']);
  });

  it('show the text for the student, with a failure and with a pass', () => {
    const view = make();
    view.update(content({ ...pass, feedback: '<b>Well done' }, { ...fail, feedback: EVIL }));
    const details = view.node.querySelector<HTMLDetailsElement>('.bg-passes')!;
    details.open = true;
    details.dispatchEvent(new Event('toggle'));
    expect(textOf(view.node, '.bg-feedback')).toEqual([EVIL.replace('\u202e', '\\u202e'), '<b>Well done']);
    expect(view.node.querySelector('img, b')).toBeNull();
  });

  it('that Python left out of the list are counted', () => {
    const view = make();
    const details = view.node.querySelector('details')!;
    details.open = true;
    view.update({ assertions: [pass], counts: { pass: 5000, fail: 0, error: 0 } });
    expect(details.textContent).toContain('and 4,999 more passed');
  });

  it('grow in place while they begin as before; else a new view is needed', () => {
    const view = make();
    view.update(content(fail));
    const row = view.node.querySelector('tbody tr');
    expect(view.update(content(fail, error))).toBe(true);
    expect(view.node.querySelector('tbody tr')).toBe(row);
    expect(view.update(content(error))).toBe(false);
  });

  it('lead to their cell where something is wrong', () => {
    const go = vi.fn();
    const view = make(go);
    view.update(content(pass));
    const link = view.node.querySelector('button')!;
    expect(link.hidden).toBe(true);
    view.update(content(pass, fail));
    expect(link.hidden).toBe(false);
    link.click();
    expect(go).toHaveBeenCalled();
  });

  it('are counted in words', () => {
    expect(countsText({ pass: 1, fail: 0, error: 2 }, trans)).toBe('1 passed, 0 failed, 2 errors');
  });
});

describe('a difference', () => {
  it('of texts marks the characters', () => {
    const view = diffView("'hallo'", "'hello'", trans);
    expect([textOf(view, 'del'), textOf(view, 'ins')]).toEqual([['a'], ['e']]);
  });

  it('of texts with lines marks the lines', () => {
    const view = diffView("'a\\nb\\nc'", "'a\\nx\\nc'", trans);
    expect(textOf(view, '.bg-lines > *')).toEqual(['  a', '− b', '+ x', '  c']);
  });

  it('of containers says where', () => {
    const view = diffView("{'a': [1, 2]}", "{'a': [1, 3]}", trans);
    expect(textOf(view, 'tbody th')).toEqual(["['a'][1]"]);
    expect([textOf(view, 'tbody del'), textOf(view, 'tbody ins')]).toEqual([['2'], ['3']]);
  });

  it('of numbers that rounding explains says so', () => {
    expect(diffView('0.3', '0.30000000000000004', trans).textContent).toContain('math.isclose');
    expect(diffView('1', '2', trans).textContent).not.toContain('math.isclose');
  });

  it('that cannot be seen is explained', () => {
    expect(diffView('<object>', '<object>', trans).textContent).toContain('Both are written the same');
    expect(side('Expected', EVIL).querySelector('img')).toBeNull();
  });
});

describe('JSON', () => {
  const data = { name: 'x', list: [1, { deep: 'needle' }], many: Array.from({ length: 250 }, (_, i) => i) };

  function show(value: unknown = data): HTMLElement {
    const view = treeView(value, 'data', trans);
    document.body.append(view);
    return view;
  }
  const focused = (): string | undefined => (document.activeElement as HTMLElement).dataset.step;
  const press = (key: string): boolean =>
    document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));

  it('is found by key and value, whatever the case', () => {
    expect(search(data, 'NEEDLE').paths).toEqual([['list', 1, 'deep']]);
    expect(search(data, 'deep')).toEqual({ paths: [['list', 1, 'deep']], complete: true });
    expect(search({ a: Array(500).fill('hit') }, 'hit').complete).toBe(false);
  });

  it('is walked by keyboard', () => {
    const view = show();
    const top = view.querySelector<HTMLElement>('[role=treeitem]')!;
    top.focus();
    press('ArrowDown');
    expect(focused()).toBe('name');
    press('ArrowDown');
    press('ArrowRight');
    press('ArrowRight');
    expect(focused()).toBe('0');
    press('ArrowLeft');
    expect(focused()).toBe('list');
    press('ArrowLeft');
    expect(document.activeElement!.getAttribute('aria-expanded')).toBe('false');
    press('End');
    expect(focused()).toBe('many');
    press('Enter');
    expect(document.activeElement!.getAttribute('aria-expanded')).toBe('true');
    press('Home');
    expect(focused()).toBe('$');
    expect([press('ArrowUp'), press('x')]).toEqual([false, true]);
    expect(view.querySelectorAll('[tabindex="0"][role=treeitem]')).toHaveLength(1);
  });

  it('shows long lists in steps', () => {
    const view = show();
    const many = [...view.querySelectorAll<HTMLElement>('[role=treeitem]')].find(one => one.dataset.step === 'many')!;
    many.querySelector<HTMLElement>('.bg-node')!.click();
    expect(many.querySelectorAll('li')).toHaveLength(101);
    many.querySelector<HTMLElement>('.bg-more .bg-node')!.click();
    expect(many.querySelectorAll('li')).toHaveLength(201);
    expect(focused()).toBe('100');
  });

  it('opens what a search found', () => {
    const view = show();
    const field = view.querySelector('input')!;
    field.value = 'needle';
    field.dispatchEvent(new Event('input'));
    expect(textOf(view, '[role=status]')).toEqual(['1 match']);
    view.querySelector<HTMLElement>('.bg-matches button')!.click();
    expect(focused()).toBe('deep');
    field.value = '';
    field.dispatchEvent(new Event('input'));
    expect(textOf(view, '.bg-matches li')).toEqual([]);
  });

  it('that is one value has nothing to search', () => {
    expect(show('text').querySelector('input')).toBeNull();
    expect(show(EVIL).querySelector('img')).toBeNull();
  });
});

describe('artifacts', () => {
  const view = (artifact: Artifact): HTMLElement => artifactView(artifact, trans, () => undefined);

  it.each([
    ['info', 'Info'],
    ['warn', 'Warning'],
    ['error', 'Error'],
    [undefined, 'Info'],
  ] as const)('of level %s are named', (level, word) => {
    const log = view({ kind: 'log', name: 'step', level, data: EVIL });
    expect(log.getAttribute('aria-label')).toBe(`${word}: step`);
    expect([textOf(log, '.bg-kind'), log.querySelector('img')]).toEqual([[word], null]);
  });

  it('with data are trees', () => {
    expect(view({ kind: 'log', name: 'a', level: 'info', data: { a: 1 } }).querySelector('[role=tree]')).not.toBeNull();
    expect(view({ kind: 'json', name: 'a', data: [1] }).querySelector('[role=tree]')).not.toBeNull();
  });

  it('that are images are zoomed by button and by key', () => {
    const figure = view({ kind: 'image', name: EVIL, mime: 'image/png', dataBase64: 'AAAA' });
    document.body.append(figure);
    const image = figure.querySelector('img')!;
    expect(image.src).toBe('data:image/png;base64,AAAA');
    const press = (key: string): boolean =>
      figure.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    expect(press('Escape')).toBe(true);
    const [zoomIn, , fit] = figure.querySelectorAll('button');
    zoomIn.click();
    const once = image.style.width;
    expect([press('+'), Number.parseInt(image.style.width, 10)]).toEqual([false, 2 * Number.parseInt(once, 10)]);
    press('-');
    expect(image.style.width).toBe(once);
    expect(press('Escape')).toBe(false);
    expect(image.style.width).toBe('');
    fit.click();
    image.dispatchEvent(new Event('error'));
    expect(figure.textContent).toContain('The browser cannot read this image.');
  });
});

describe('a renderer', () => {
  const around = { trans, cellOf: () => null };
  const [assertions, artifact] = factories(around).map(
    ({ createRenderer }) =>
      () =>
        createRenderer({} as never),
  );
  const model = (mime: string, data: unknown) => ({ data: { [mime]: data } }) as never;

  it('is there for both MIME types, above JupyterLab’s own', () => {
    expect(factories(around).map(({ mimeTypes, safe, defaultRank }) => [mimeTypes, safe, defaultRank])).toEqual([
      [[ASSERTIONS_MIME], true, -10],
      [[ARTIFACT_MIME], true, -10],
    ]);
  });

  it('leaves in place what a running cell adds to', async () => {
    const renderer = assertions();
    const content = (n: number) => ({
      assertions: Array.from({ length: n }, (_, i) => ({ kind: 'fail', name: `a${i}`, message: 'm' })),
      counts: { pass: 0, fail: n, error: 0 },
    });
    await renderer.renderModel(model(ASSERTIONS_MIME, content(1)));
    const view = renderer.node.firstElementChild;
    await renderer.renderModel(model(ASSERTIONS_MIME, content(3)));
    expect([renderer.node.firstElementChild, textOf(renderer.node, 'tbody tr').length]).toEqual([view, 3]);
    await renderer.renderModel(model(ASSERTIONS_MIME, content(0)));
    expect(renderer.node.firstElementChild).not.toBe(view);
    renderer.dispose();
  });

  it('says of foreign content that it cannot be shown', async () => {
    for (const [make, mime] of [
      [assertions, ASSERTIONS_MIME],
      [artifact, ARTIFACT_MIME],
    ] as const) {
      const renderer = make();
      await renderer.renderModel(model(mime, { assertions: EVIL }));
      expect(renderer.node.textContent).toContain(`does not follow ${mime}`);
      renderer.dispose();
    }
  });
});
