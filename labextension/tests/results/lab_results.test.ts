// @vitest-environment happy-dom
/** Results of open notebooks: those in their outputs, and sets that other documents show. */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { downloadJson } from '../../src/download';
import { goToCell } from '../../src/go_to_cell';
import { merge } from '../../src/results/cells';
import { LabResults } from '../../src/results/lab_results';
import { ASSERTIONS_MIME, type AssertionsContent } from '../../src/runtime/events';

function content(pass: number, fail = 0): AssertionsContent {
  return {
    assertions: Array.from({ length: fail }, (_, i) => ({ kind: 'fail' as const, name: `f${i}`, message: '' })),
    counts: { pass, fail, error: 0 },
  };
}

class Cell {
  readonly type: string = 'code';
  readonly executionCount = 7;
  readonly data: object[];
  readonly outputs = {
    get: (i: number) => ({ data: this.data[i] }),
    changed: new Signal<object, void>({}),
    length: 0,
  };
  readonly sharedModel: { getSource(): string };
  constructor(
    readonly id: string,
    source: string,
    ...data: object[]
  ) {
    this.data = data;
    this.outputs.length = data.length;
    this.sharedModel = { getSource: () => source };
  }
}

class Notebook {
  readonly pathChanged = new Signal<this, string>(this);
  readonly cellsChanged = new Signal<object, void>({});
  isDisposed = false;
  readonly context: object;
  readonly content: object;
  path: string;
  constructor(path: string, cells: object[]) {
    this.path = path;
    const self = this;
    this.context = {
      get path() {
        return self.path;
      },
      ready: Promise.resolve(),
      pathChanged: this.pathChanged,
    };
    this.content = {
      model: {
        cells: {
          get: (i: number) => cells[i],
          get length() {
            return cells.length;
          },
          changed: this.cellsChanged,
        },
      },
    };
  }
}

function make(...cells: object[]) {
  const notebook = new Notebook('a.ipynb', cells);
  const panels = [notebook as unknown as NotebookPanel];
  const tracker = {
    widgetAdded: new Signal<object, NotebookPanel>({}),
    forEach: (call: (panel: NotebookPanel) => void) => panels.forEach(call),
    find: (matches: (panel: NotebookPanel) => boolean) => panels.find(matches),
  } as unknown as INotebookTracker;
  const results = new LabResults(tracker, number => `Cell ${number}`);
  const changes: string[] = [];
  results.changed.connect((_, path) => void changes.push(path));
  return { changes, notebook, results };
}

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve));

afterEach(() => void vi.restoreAllMocks());

describe('lab results', () => {
  it('are those of the cells, in order, after what others show', () => {
    const { results } = make(
      new Cell(
        'c1',
        '\n  # one\nx = 1',
        { [ASSERTIONS_MIME]: content(1) },
        { 'text/plain': 'x' },
        { [ASSERTIONS_MIME]: content(2, 1) },
      ),
      { type: 'markdown' },
      new Cell('c3', 'pass'),
    );
    results.show('a.ipynb', 'Check my work', content(3));
    expect(results.groups('a.ipynb')).toEqual([
      { heading: 'Check my work', cell_id: null, execution_count: null, content: content(3) },
      { heading: 'Cell 1: # one', cell_id: 'c1', execution_count: 7, content: content(3, 1) },
    ]);
    expect(results.summary('a.ipynb')).toEqual({ pass: 6, fail: 1, error: 0 });
    expect(results.full('a.ipynb')).toMatchObject({
      path: 'a.ipynb',
      counts: { pass: 6, fail: 1, error: 0 },
      groups: [
        { heading: 'Check my work', assertions: [] },
        { cell_id: 'c1', counts: { pass: 3, fail: 1, error: 0 } },
      ],
    });
  });

  it('of a notebook without any are none', () => {
    expect(make(new Cell('c', 'x')).results.summary('a.ipynb')).toBeNull();
    expect(make().results.summary('unknown.ipynb')).toBeNull();
  });

  it('of one heading replace each other', () => {
    const { results } = make();
    results.show('a.ipynb', 'x', content(1));
    results.show('a.ipynb', 'y', content(1));
    results.show('a.ipynb', 'x', content(2));
    expect(results.groups('a.ipynb').map(({ heading, content: { counts } }) => [heading, counts.pass])).toEqual([
      ['y', 1],
      ['x', 2],
    ]);
  });

  it('change with the outputs, also of cells that come later', async () => {
    const cells: Cell[] = [new Cell('c1', 'x')];
    const { changes, notebook } = make(...cells);
    await settled();
    expect(changes).toEqual(['a.ipynb']);
    cells[0].outputs.changed.emit();
    notebook.cellsChanged.emit();
    cells[0].outputs.changed.emit();
    expect(changes).toHaveLength(4);
    notebook.isDisposed = true;
    cells[0].outputs.changed.emit();
    expect(changes).toHaveLength(4);
  });

  it('go with a notebook that is renamed', () => {
    const { changes, notebook, results } = make();
    results.show('a.ipynb', 'x', content(1));
    notebook.path = 'b.ipynb';
    notebook.pathChanged.emit('b.ipynb');
    expect([results.summary('a.ipynb'), results.summary('b.ipynb')]).toEqual([null, { pass: 1, fail: 0, error: 0 }]);
    expect(changes.at(-1)).toBe('b.ipynb');
  });

  it('are merged in their order', () => {
    expect(merge([content(1, 1), content(2, 2)])).toEqual({
      assertions: [...content(0, 1).assertions, ...content(0, 2).assertions],
      counts: { pass: 3, fail: 3, error: 0 },
    });
  });
});

describe('a cell', () => {
  it('is made active and brought into view; one that is gone is left alone', async () => {
    const notebook = {
      widgets: [{ model: { id: 'a' } }, { model: { id: 'b' } }],
      activeCellIndex: 0,
      mode: 'edit',
      scrollToItem: vi.fn(),
      activate: vi.fn(),
    };
    const panel = { content: notebook } as unknown as NotebookPanel;
    await goToCell(panel, 'gone');
    expect(notebook.activate).not.toHaveBeenCalled();
    await goToCell(panel, 'b');
    expect([notebook.activeCellIndex, notebook.mode]).toEqual([1, 'command']);
    expect(notebook.scrollToItem).toHaveBeenCalledWith(1, 'start');
  });
});

describe('a download', () => {
  it('has its name and text, and its address is given up later', async () => {
    vi.useFakeTimers();
    const made: Blob[] = [];
    vi.spyOn(URL, 'createObjectURL').mockImplementation(blob => {
      made.push(blob as Blob);
      return 'blob:x';
    });
    const revoke = vi.spyOn(URL, 'revokeObjectURL').mockReturnValue();
    const clicked: [string, string][] = [];
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
      clicked.push([this.download, this.href]);
    });
    downloadJson('lab-results.json', '{"a": 1}');
    expect(clicked).toEqual([['lab-results.json', 'blob:x']]);
    expect(revoke).not.toHaveBeenCalled();
    vi.advanceTimersByTime(60_000);
    expect(revoke).toHaveBeenCalledWith('blob:x');
    vi.useRealTimers();
    expect([made[0].type, await made[0].text()]).toEqual(['application/json', '{"a": 1}']);
  });
});
