/** What the cells of a notebook import is known before they run, if they may run. */
import type { INotebookTracker } from '@jupyterlab/notebook';
import { Signal } from '@lumino/signaling';
import { expect, it, vi } from 'vitest';

import { ExpectedImports, importedModules } from '../../src/kernel/expected_imports';

it.each([
  ['import numpy as np, pandas.api as api', ['numpy', 'pandas']],
  ['from matplotlib import pyplot', ['matplotlib']],
  ['x = 1; import scipy # import os', ['scipy']],
  ['if True:\n    import seaborn', ['seaborn']],
  ['%%time\nimport numpy', ['numpy']],
  ['%time import numpy', ['numpy']],
  ['%matplotlib inline', ['matplotlib']],
  ['%pylab', ['numpy', 'matplotlib']],
  ['from . import near', []],
  ['# import numpy\nimportant = 1\nprint("import numpy")', []],
])('%j imports %j', (code, modules) => {
  expect(importedModules([code])).toEqual(modules);
});

/** An open notebook with one cell. */
function open(source: string, mayRun = true) {
  const cell = (type: string, text: string) => ({ type, sharedModel: { getSource: () => text } });
  const panel = {
    context: { ready: Promise.resolve(), isReady: true },
    content: { model: { cells: [cell('markdown', 'import words'), cell('code', source)] } },
    sessionContext: {
      session: null as { kernel: { id: string } } | null,
      kernelChanged: new Signal<object, void>({}),
    },
  };
  const tracker = { widgetAdded: new Signal<object, unknown>({}), forEach: (f: (one: object) => void) => f(panel) };
  const kernel = { expect: vi.fn() };
  const expected = new ExpectedImports(
    tracker as unknown as INotebookTracker,
    id => (id === 'ours' ? kernel : undefined),
    async () => mayRun,
  );
  return { expected, kernel, panel };
}

const settled = (): Promise<unknown> => new Promise(resolve => setTimeout(resolve));

it('tells a kernel when the notebook gets it, and when Python has started in it anew', async () => {
  const { expected, kernel, panel } = open('import numpy');
  await settled();
  expect(kernel.expect).not.toHaveBeenCalled();
  panel.sessionContext.session = { kernel: { id: 'ours' } };
  panel.sessionContext.kernelChanged.emit();
  await settled();
  expect(kernel.expect.mock.calls).toEqual([[['numpy'], true]]);
  expected.started(kernel);
  await settled();
  expect(kernel.expect).toHaveBeenCalledTimes(2);
});

it.each([
  ['refused', 'ours', false],
  ['of another kernel', 'theirs', true],
])('tells nothing of a notebook that is %s', async (_, id, mayRun) => {
  const { expected, kernel, panel } = open('import numpy', mayRun);
  panel.sessionContext.session = { kernel: { id } };
  panel.sessionContext.kernelChanged.emit();
  expected.started(kernel);
  await settled();
  expect(kernel.expect).not.toHaveBeenCalled();
});

it.each(["import os\nos.environ['PANDAS_COPY_ON_WRITE'] = '1'", '%env A=1', '%set_env A 1'])(
  'does not let modules be imported ahead of a cell that sets variables: %j',
  async code => {
    const { kernel, panel } = open(`${code}\nimport numpy`);
    panel.sessionContext.session = { kernel: { id: 'ours' } };
    panel.sessionContext.kernelChanged.emit();
    await settled();
    expect(kernel.expect.mock.calls[0][1]).toBe(false);
  },
);
