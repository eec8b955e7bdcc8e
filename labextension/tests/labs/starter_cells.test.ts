import { describe, expect, it } from 'vitest';

import { begunAnew, starterCells } from '../../src/labs/starter_cells';

const STARTER = [
  '# %% [markdown]\n# ## Yours',
  '# %%\nimport math\n\ndef add(a, b):\n    return 0',
  '# %%\nclass Sum:\n    pass',
  '# %%\nRATE: float = 0.5',
].join('\n\n');

const code = (source: string | string[]) => ({
  cell_type: 'code',
  source,
  metadata: {},
  outputs: [{ output_type: 'stream', name: 'stdout', text: 'old' }],
  execution_count: 3,
});
const text = (source: string) => ({ cell_type: 'markdown', source, metadata: {} });

function begun(...cells: (ReturnType<typeof code> | ReturnType<typeof text>)[]): unknown[] {
  return begunAnew(cells, starterCells(STARTER, 'starter.py')).map(cell => {
    expect(cell.outputs ?? []).toEqual([]);
    return [cell.source].flat().join('').split('\n').pop();
  });
}

const ADD = '    return 0';
const SUM = '    pass';
const RATE = 'RATE: float = 0.5';

describe('a notebook without an original', () => {
  it('gets the starter where its answers are, and keeps the order of the rest', () =>
    expect(
      begun(
        text('# Title'),
        text('## One'),
        code('def add(a, b):\n    return a + b'),
        code(['add(\n', '1, 2)']),
        text('## Two'),
        code('class Sum(list):\n    total = 1'),
        code('RATE = 3'),
        text('End'),
      ),
    ).toEqual(['# Title', '## One', '## Yours', ADD, '1, 2)', '## Two', SUM, RATE, 'End']));
  it('has a second answer to one question no more', () =>
    expect(begun(code('async def add(a): ...'), code('print(1)'), code('add = max'))).toEqual([
      '## Yours',
      ADD,
      'print(1)',
      SUM,
      RATE,
    ]));
  it('takes a comparison, a name inside or in another word for no answer', () =>
    expect(begun(code('RATE == 3'), code('if 1:\n    RATE = 3'), code('addition = 1'))).toEqual([
      'RATE == 3',
      '    RATE = 3',
      'addition = 1',
      '## Yours',
      ADD,
      SUM,
      RATE,
    ]));
  it('is the same after a second time', () => {
    const starter = starterCells(STARTER, 'starter.py');
    const once = begunAnew([text('# Title'), code('RATE = 1'), text('End')], starter);
    expect(begunAnew(once, starter)).toEqual(once);
  });
});
