"""The panel *Lab results* beside a running kernel, in JupyterLite."""

from __future__ import annotations

from typing import Any

from conftest import Lab
from playwright.sync_api import expect

OPEN = """async ([path, sources]) => {
  await jupyterapp.restored;
  const cells = sources.map(source => ({ cell_type: 'code', source, metadata: {}, outputs: [], execution_count: null }));
  const metadata = { kernelspec: { name: 'browsergrad', display_name: 'browsergrad' } };
  const content = { nbformat: 4, nbformat_minor: 4, metadata, cells };
  await jupyterapp.serviceManager.contents.save(path, { type: 'notebook', format: 'json', content });
  window.shown = await jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook' });
  await shown.context.ready;
  await shown.sessionContext.ready;
  await jupyterapp.commands.execute('browsergrad:show-results');
}"""
#: Runs a cell as a click does, and does not wait for its end.
RUN = """index => {
  jupyterapp.shell.activateById(shown.id);
  shown.content.activeCellIndex = index;
  window.ran = jupyterapp.commands.execute('notebook:run-cell');
}"""
ENDLESS = """import time
import browsergrad as bg
n = 0
while True:
    n += 1
    bg.assert_pass(f'pass {n}')
    time.sleep(0.05)"""
PASSED = "Number.parseInt(document.querySelector('#browsergrad-lab-results > .bg-counts').textContent)"


def test_counts_rise_while_a_cell_runs(view: Lab) -> None:
    view.js(OPEN, ["live.ipynb", [ENDLESS, "print(n)", "bg.assert_fail('last', 'm', expected=1, actual=2)"]])
    view.js(RUN, 0)
    view.page.wait_for_function(f"{PASSED} >= 2")
    before: int = view.js(f"() => {PASSED}")
    view.page.wait_for_function(f"{PASSED} > {before + 2}")
    assert view.js("() => shown.content.widgets[0].promptNode.textContent") == "[*]:", "it has not ended"
    view.js("async () => { await shown.sessionContext.session.kernel.interrupt(); await ran; }")
    for index in (1, 2):
        view.js(RUN, index)
        view.js("() => ran")
    counted = int(view.js("() => shown.content.widgets[1].outputArea.node.textContent"))
    panel = view.page.locator("#browsergrad-lab-results")
    expect(panel.locator("> .bg-counts")).to_contain_text("1 failed")
    # The interrupt may come between the check and its report.
    assert view.js(f"() => {PASSED}") in (counted - 1, counted)
    expect(panel.locator("h3")).to_have_text(
        ["Cell 1: import time", "Cell 3: bg.assert_fail('last', 'm', expected=1, actual=2)"]
    )
    filters_by_keyboard(view)


ENDLESS_FAILURES = """import time
import browsergrad as bg
n = 0
while True:
    n += 1
    bg.assert_fail(f'check {n}', f'message {n}')
    time.sleep(0.05 if n > 40 else 0)"""
SELECT = """() => {
  const { firstChild } = document.querySelectorAll('#browsergrad-lab-results .bg-message bdi')[4];
  getSelection().setBaseAndExtent(firstChild, 2, firstChild, 7);
}"""


def test_focus_place_and_selection_stay_while_a_cell_runs(view: Lab) -> None:
    view.js(OPEN, ["kept.ipynb", [ENDLESS_FAILURES]])
    view.js(RUN, 0)
    panel = view.page.locator("#browsergrad-lab-results")
    view.page.wait_for_function("document.querySelectorAll('#browsergrad-lab-results li').length >= 40")
    checks = panel.get_by_role("group", name="Checks")
    checks.focus()
    for _ in range(4):  # The button that leads to the cell comes first, then the checks.
        view.page.keyboard.press("Tab")
    third = panel.get_by_role("button", name="check 3", exact=True)
    expect(third).to_be_focused()
    checks.evaluate("list => { list.scrollTop = 90; }")
    view.js(SELECT)
    counts = panel.locator("> .bg-counts")
    for _ in range(3):
        expect(counts).not_to_have_text(counts.inner_text())
    expect(third).to_be_focused()
    assert checks.evaluate("list => list.scrollTop") == 90
    assert view.js("() => String(getSelection())") == "ssage"
    view.page.keyboard.press("Tab")
    expect(panel.get_by_role("button", name="check 4", exact=True)).to_be_focused()
    view.js("() => shown.content.model.sharedModel.deleteCell(0)")
    expect(checks).to_be_focused()
    assert panel.locator("li").count() == 0


def filters_by_keyboard(view: Lab) -> None:
    panel = view.page.locator("#browsergrad-lab-results")
    failed = panel.get_by_role("button", name="Failed", exact=True)
    panel.get_by_role("button", name="All", exact=True).focus()
    view.page.keyboard.press("Tab")
    expect(failed).to_be_focused()
    view.page.keyboard.press("Enter")
    expect(failed).to_have_attribute("aria-pressed", "true")
    expect(panel.locator("li")).to_have_count(1)
    link: Any = panel.get_by_role("button", name="last")
    link.focus()
    view.page.keyboard.press("Enter")
    view.page.wait_for_function("shown.content.activeCellIndex === 2")
