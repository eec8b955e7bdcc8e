"""Measures 10,000 assertions in one cell of an open notebook, beside 10,000 displays: time, longest frame, and size when saved."""

from __future__ import annotations

from collections import defaultdict

from ..lab import Lab
from ..runner import Bench
from ..table import Row

ASSERTIONS = """import browsergrad as bg
for i in range(10_000):
    if i % 100:
        bg.assert_pass(f'case {i}')
    else:
        bg.assert_fail(f'case {i}', 'the values differ', expected=i, actual=-i)"""
FAILURES = """import browsergrad as bg
for i in range(10_000):
    bg.assert_fail(f'case {i}', 'the values differ', expected=i, actual=-i)"""
LONG = """import random, string
import browsergrad as bg
random.seed(1)
def text():
    return ''.join(random.choices(string.ascii_letters, k=900))
def numbers():
    return [random.random() for _ in range(random.randint(50, 100))]
pairs = [(text(), text()) if i % 2 else (numbers(), numbers()) for i in range(100)]
for i in range(10_000):
    expected, actual = pairs[i % 100]
    bg.assert_fail(f'case {i}', 'the values differ', expected=expected, actual=actual)"""
DISPLAYS = "for i in range(10_000): display(i)"
#: Cells by the names of their rows. The stock kernel does not have the module, so its cell runs `DISPLAYS` instead.
CELLS = {"10,000 assertions": ASSERTIONS, "10,000 failures": FAILURES, "10,000 failures of long values": LONG}
#: Longest frame that the project accepts, in ms.
FRAME_MS = 200
#: Greatest size of the saved notebook that the project accepts, in kB. Cells of failures have no limit, since each failure is saved.
SAVED_KB = {"10,000 assertions": 1000}

#: Runs a cell as a click does. Resolves with the ms until its reply, the ms of the longest frame until the page is idle, the kB of the
#: saved notebook, and the number of outputs.
RUN = """async ([kernel, code]) => {
  const { commands, restored, serviceManager, shell } = jupyterapp;
  await restored;
  const path = `cell-${crypto.randomUUID()}.ipynb`;
  const cell = source => ({ cell_type: 'code', source, metadata: {}, outputs: [], execution_count: null });
  const metadata = { kernelspec: { name: kernel, display_name: kernel } };
  const content = { cells: [cell('pass'), cell(code)], metadata, nbformat: 4, nbformat_minor: 4 };
  await serviceManager.contents.save(path, { type: 'notebook', format: 'json', content });
  const panel = await commands.execute('docmanager:open', { path, factory: 'Notebook' });
  await panel.context.ready;
  await panel.sessionContext.ready;
  if (commands.hasCommand('browsergrad:show-results')) {
    await commands.execute('browsergrad:show-results');
    shell.activateById(panel.id);
  }
  const run = async index => {
    panel.content.activeCellIndex = index;
    await commands.execute('notebook:run-cell');
    const { outputs } = panel.content.widgets[index].model;
    for (let i = 0; i < outputs.length; i++) {
      if (outputs.get(i).type === 'error') throw new Error(JSON.stringify(outputs.get(i).toJSON()));
    }
  };
  await run(0);
  let longest = 0;
  let last = performance.now();
  let watching = true;
  const frame = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (watching) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const begin = performance.now();
  await run(1);
  const ms = performance.now() - begin;
  // What is left to show after the reply counts for the frames.
  for (let i = 0; i < 60; i++) await new Promise(resolve => requestAnimationFrame(resolve));
  await panel.context.save();
  await new Promise(resolve => requestAnimationFrame(resolve));
  watching = false;
  const saved = JSON.stringify((await serviceManager.contents.get(path, { content: true })).content, null, 1);
  const outputs = panel.content.widgets[1].model.outputs.length;
  await panel.sessionContext.shutdown();
  panel.dispose();
  return [ms, longest, saved.length / 1000, outputs];
}"""


def run(bench: Bench) -> list[Row]:
    """Measure in pages that are not isolated, since the stock kernel hangs after some cells in isolated ones."""
    samples: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for turn in range(bench.repetitions):
        for side in ("ours", "stock") if turn % 2 else ("stock", "ours"):
            with bench.lab(side) as lab:
                for name, code in (CELLS if side == "ours" else {"displays": DISPLAYS}).items():
                    _take(lab, samples, name, code, side)
    rows = []
    for name in CELLS:
        bounds = {"time": ("ms", None), "longest frame": ("ms", FRAME_MS), "saved": ("kB", SAVED_KB.get(name))}
        for what, (unit, bound) in bounds.items():
            sides = {"ours": samples[f"{name}: {what}"]["ours"], "stock": samples[f"displays: {what}"]["stock"]}
            row = bench.row(f"{name}: {what}", unit, sides)
            row.bound = bound
            rows.append(row)
    return rows


def _take(lab: Lab, samples: dict[str, dict[str, list[float]]], name: str, code: str, side: str) -> None:
    ms, frame, saved, outputs = lab.js(RUN, [lab.kernel_name, code])
    if side == "ours" and outputs != 1:
        raise SystemExit(f"{name} became {outputs} outputs, not one")
    samples[f"{name}: time"][side].append(ms)
    samples[f"{name}: longest frame"][side].append(frame)
    samples[f"{name}: saved"][side].append(saved)
