"""What a new kernel runs while it is idle comes to an end, and no cell is hit by an interrupt that is meant for it."""

from __future__ import annotations

import pytest
from conftest import Lab

pytestmark = pytest.mark.pages("either")

#: Runs cells after pauses of different lengths in a new kernel. Resolves with those that went wrong.
CELLS = """async count => {
  await kernel.restart();
  const wrong = [];
  for (let i = 0; i < count; i++) {
    await new Promise(resolve => setTimeout(resolve, (i % 10 ? 0 : 310) + (i * 7) % 31));
    const future = kernel.requestExecute({ code: `x = ${i}; x` });
    let shown;
    future.onIOPub = ({ content }) => { shown ??= content.data?.['text/plain']; };
    const { content } = await future.done;
    if (content.status !== 'ok' || shown !== String(i)) wrong.push([i, shown, content]);
  }
  return wrong;
}"""
PAUSE = "() => new Promise(resolve => setTimeout(resolve, 400))"


def test_cells_that_come_while_a_kernel_warms_up_run_as_always(lab: Lab) -> None:
    assert lab.js(CELLS, 60) == []
    while lab.run("from browsergrad_kernel import warm_up; warm_up.is_done()").result != "True":
        lab.js(PAUSE)


def test_an_idle_kernel_collects_its_garbage(lab: Lab) -> None:
    """By itself, an idle worker never does, since it allocates nothing."""
    lab.js("() => kernel.restart()")
    lab.run(
        "import js\njs.eval('(globalThis.registry = new FinalizationRegistry(() => { globalThis.isCollected = true; }))"
        ".register({}, 0); globalThis.isCollected = false;')"
    )
    while lab.run("js.isCollected").result != "True":
        lab.js(PAUSE)
