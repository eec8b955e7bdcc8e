"""The process of a page ends, in the middle of typing or of a run. What the student had comes back."""

from __future__ import annotations

import pytest
from conftest import Lab
from work_pages import OPEN, SOURCES, draft_written, kill, visit_again

#: Starts the kernel, and runs the first cell without waiting for its end.
RUN = """async () => {
  await panel.sessionContext.changeKernel({ name: 'browsergrad' });
  await panel.sessionContext.session.kernel.info;
  panel.content.activeCellIndex = 0;
  window.running = jupyterapp.commands.execute('notebook:run-cell');
}"""
#: Each line is a time.
LOOP = "import time\nwhile True:\n    print(round(1000 * time.time()), flush=True)\n    time.sleep(0.05)"
#: The text that the first cell has written.
WRITTEN = "() => panel.content.model.toJSON().cells[0].outputs.map(one => [one.text ?? ''].flat().join('')).join('')"
#: Resolves when the first cell has written for so many ms, and fails when it has ended before. No signal tells of text that is appended.
HAS_WRITTEN = f"""async ms => {{
  let ended = false;
  running.finally(() => {{ ended = true; }});
  for (;;) {{
    const said = [...document.querySelectorAll('.jp-Dialog, .Toastify__toast')].map(one => one.innerText);
    if (ended) throw new Error(`the cell has ended: ${{({WRITTEN})()}}, ${{said.join(', ')}}`);
    const lines = ({WRITTEN})().trim().split('\\n').map(Number);
    if (lines.at(-1) - lines[0] >= ms) return lines;
    await new Promise(resolve => setTimeout(resolve, 50));
  }}
}}"""
#: Ms before the end of a page, of which nothing older is lost.
MOST_LOST = 2000


@pytest.fixture
def lab(work_lab: Lab) -> Lab:
    return work_lab


def type_and_kill(lab: Lab, base: str, number: int) -> None:
    """Type for a while, kill the page, and compare what comes back with what was typed."""
    lab.js(OPEN, "lab/lab.ipynb")
    cell = lab.page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    cell.click()
    lab.page.keyboard.press("Control+A")
    lab.page.keyboard.insert_text(f"run {number}:")
    # Each word is a time at which it was typed.
    typed = [lab.js("() => Date.now()")]
    while typed[-1] - typed[0] < 2500:
        lab.page.keyboard.insert_text(f" {typed[-1]}")
        typed.append(lab.js("() => Date.now()"))
    kill(lab.page)
    visit_again(lab, base)
    lab.js(OPEN, "lab/lab.ipynb")
    lab.page.locator(".Toastify__toast", has_text="is back. It was not saved").first.wait_for()
    text = lab.js(SOURCES)[0]
    head, *words = text.split()
    assert f"{head} {words[0]}" == f"run {number}:", text
    assert [int(word) for word in words[1:]] == typed[: len(words) - 1]
    assert typed[-1] - typed[len(words) - 2] <= MOST_LOST


def test_what_was_typed_comes_back_after_a_crash_and_can_be_undone(lab: Lab, work_base: str) -> None:
    type_and_kill(lab, work_base, 1)
    notice = lab.page.locator(".Toastify__toast", has_text="is back. It was not saved")
    notice.get_by_role("button", name="Undo").click()
    lab.page.wait_for_function("panel.content.model.cells.get(0).sharedModel.getSource() === 'x = 1'")


@pytest.mark.release
@pytest.mark.timeout(3600)
def test_fifty_crashes_while_typing_lose_nothing_older_than_two_seconds(lab: Lab, work_base: str) -> None:
    for number in range(50):
        type_and_kill(lab, work_base, number)


def run_and_kill(lab: Lab, base: str) -> None:
    """End the page while a cell runs, and compare the output that comes back with what was there."""
    lab.js(OPEN, "lab/lab.ipynb")
    lab.js("text => panel.content.model.cells.get(0).sharedModel.setSource(text)", LOOP)
    lab.js("() => panel.content.model.cells.get(0).clearExecution()")
    lab.js(RUN)
    seen = lab.js(HAS_WRITTEN, 3000)
    kill(lab.page)
    visit_again(lab, base)
    lab.js(OPEN, "lab/lab.ipynb")
    lab.page.locator(".Toastify__toast", has_text="is back. It was not saved").first.wait_for()
    assert lab.js(SOURCES)[0] == LOOP
    lines = [int(line) for line in lab.js(WRITTEN).split()]
    assert lines[0] == seen[0]
    assert seen[-1] - lines[-1] <= MOST_LOST


def test_what_a_running_cell_has_written_comes_back_after_a_crash(lab: Lab, work_base: str) -> None:
    run_and_kill(lab, work_base)


@pytest.mark.release
def test_what_was_typed_comes_back_after_the_kernel_and_then_the_page_have_ended(lab: Lab, work_base: str) -> None:
    lab.js(OPEN, "lab/lab.ipynb")
    code = "print('written', flush=True)\nimport ctypes\nctypes.memset(0xFFFFF000, 0, 10**6)"
    lab.js("text => panel.content.model.cells.get(0).sharedModel.setSource(text)", code)
    lab.js(RUN)
    lab.page.locator(".Toastify__toast", has_text="Python stopped and was restarted; variables are lost").wait_for()
    lab.js("() => panel.content.model.cells.get(1).sharedModel.setSource('after = 1')")
    draft_written(lab, "after = 1")
    kill(lab.page)
    visit_again(lab, work_base)
    lab.js(OPEN, "lab/lab.ipynb")
    lab.page.locator(".Toastify__toast", has_text="is back. It was not saved").first.wait_for()
    assert lab.js(SOURCES) == [code, "after = 1"]
    assert lab.js(WRITTEN).startswith("written")


@pytest.mark.release
@pytest.mark.timeout(3600)
def test_fifty_crashes_while_running_lose_nothing_older_than_two_seconds(lab: Lab, work_base: str) -> None:
    for _ in range(50):
        run_and_kill(lab, work_base)
