"""Interrupts through JupyterLite's own client, at random moments. None may reach the next cell."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest
from conftest import Lab, Run, open_lab, stop_cases
from playwright.sync_api import Browser, expect

INTERRUPTED = """async ([code, delay, input]) => {
  const running = bg.run(code, { allow_stdin: input }, []);
  await busy;
  await new Promise(resolve => setTimeout(resolve, delay));
  const begin = performance.now();
  await kernel.interrupt();
  const result = await Promise.race([running, new Promise(r => setTimeout(() => r(null), 60_000))]);
  return result && { ...result, ms: performance.now() - begin };
}"""


def interrupt(lab: Lab, code: str, delay_ms: int, allow_stdin: bool = False) -> Run:
    result = lab.js(INTERRUPTED, [code, delay_ms, allow_stdin])
    assert result is not None, "the cell did not end within a minute of the interrupt"
    return Run(result["reply"], result["messages"])


@pytest.fixture(scope="module")
def driven(lab: Lab) -> Lab:
    lab.add_stop_driver()
    return lab


@pytest.mark.thinned(2)
@pytest.mark.parametrize("name", [case["name"] for case in stop_cases("")])
def test_stop_ends_the_cell_and_keeps_the_variables(driven: Lab, base: str, name: str) -> None:
    """Interrupts at random moments, each followed by a cell that must not be interrupted. `make bench` tries more often."""
    cases = [case for case in stop_cases(base) if case["name"] == name]
    (row,) = driven.js("([cases, seed]) => stop.table(stopHost, cases, 2, seed)", [cases, random.randrange(2**31)])
    assert row["bad"] == []
    assert len(row["ms"]) == 2


def test_a_storm_of_interrupts_loses_none(driven: Lab, base: str) -> None:
    """Long and short cells, requests, queued cells and an idle kernel, interrupted 80 times at random moments."""
    seed = random.randrange(2**31)
    result = driven.js("([cases, seed]) => stop.storm(stopHost, cases, 80, seed)", [stop_cases(base), seed])
    assert result["bad"] == [], f"seed {seed}"
    assert result["sent"] >= 80


def test_stop_closes_an_input_prompt(lab: Lab) -> None:
    run = interrupt(lab, "input('name? ')", 200, allow_stdin=True)
    assert run.content["ename"] == "KeyboardInterrupt"
    assert lab.run("input()", ["next"]).result == "'next'"


def test_stop_while_idle_does_nothing(lab: Lab) -> None:
    lab.js("() => kernel.interrupt()")
    assert lab.run("sum(range(1_000_000))").result == "499999500000"


def test_two_presses_end_one_cell(lab: Lab) -> None:
    lab.js("() => { setTimeout(() => { kernel.interrupt(); kernel.interrupt(); }, 100); }")
    assert lab.run("while True: pass").content["ename"] == "KeyboardInterrupt"
    assert lab.run("sum(range(1_000_000))").content["status"] == "ok"


def test_user_code_sees_the_interrupt(lab: Lab) -> None:
    code = "log = []\ntry:\n  while True: pass\nexcept KeyboardInterrupt:\n  log.append('caught')\nfinally:\n  log.append('finally')\nlog"
    assert interrupt(lab, code, 60).result == "['caught', 'finally']"


def test_the_traceback_is_the_users(lab: Lab) -> None:
    run = interrupt(lab, "import time\ndef f():\n    time.sleep(60)\nf()", 60)
    text = "".join(run.of("error")[0]["traceback"])
    assert "browsergrad_kernel" not in text and "sleep" in text


def test_the_traceback_of_a_callback_from_javascript_is_the_users(lab: Lab) -> None:
    code = "import js\nfrom pyodide.ffi import create_proxy\ndef callback():\n    while True: pass\njs.eval('f => f()')(create_proxy(callback))"
    text = "".join(interrupt(lab, code, 60).of("error")[0]["traceback"])
    assert "callback" in text and "worker.js" not in text


@pytest.fixture(scope="module")
def jupyterlab(browser: Browser, base: str) -> Iterator[Lab]:
    """JupyterLab without an open document."""
    lab = open_lab(browser, base)
    yield lab
    assert lab.foreign == []
    lab.page.context.close()


@pytest.fixture
def notebook(jupyterlab: Lab) -> Iterator[Lab]:
    """A notebook that is open in JupyterLab, and whose kernel runs."""
    lab = jupyterlab
    lab.js(
        """async () => {
          const { commands, restored } = jupyterapp;
          await restored;
          const { path } = await commands.execute('docmanager:new-untitled', { type: 'notebook', path: '' });
          const panel = await commands.execute('docmanager:open', { path, factory: 'Notebook', kernel: { name: 'browsergrad' } });
          await panel.context.ready;
          await panel.context.sessionContext.ready;
          window.kernel = panel.context.sessionContext.session.kernel;
          await kernel.info;
        }"""
    )
    yield lab
    lab.js(
        """async () => {
          const panel = jupyterapp.shell.currentWidget;
          await panel.context.save();
          await panel.context.sessionContext.shutdown();
          panel.dispose();
        }"""
    )


def press_run(lab: Lab, code: str) -> None:
    """Type a cell at the end and press Run, as a student does."""
    lab.js(
        """async code => {
          const { content } = jupyterapp.shell.currentWidget;
          content.activeCellIndex = content.widgets.length - 1;
          content.activeCell.model.sharedModel.setSource(code);
        }""",
        code,
    )
    lab.page.locator('.jp-NotebookPanel-toolbar [data-command="notebook:run-cell-and-select-next"]').click()


def wait_until_busy(lab: Lab) -> None:
    """Wait until a cell has run for a moment, as when somebody presses Stop."""
    lab.page.wait_for_function("kernel.status === 'busy'")
    lab.page.wait_for_timeout(300)


def press_stop(lab: Lab) -> None:
    lab.page.locator('.jp-NotebookPanel-toolbar [data-command="notebook:interrupt-kernel"]').click()


@pytest.mark.thinned(3)
@pytest.mark.parametrize("code", ["while True: pass", "import time\ntime.sleep(60)", "while True: print('x')"])
def test_the_stop_button_of_jupyterlab(notebook: Lab, code: str) -> None:
    page = notebook.page
    press_run(notebook, "kept = 41")
    page.get_by_text("[1]:").first.wait_for()
    press_run(notebook, code)
    wait_until_busy(notebook)
    press_stop(notebook)
    page.locator(".jp-OutputArea-output").get_by_text("KeyboardInterrupt").first.wait_for()
    press_run(notebook, "kept + 1")
    page.locator(".jp-OutputArea-executeResult").get_by_text("42").wait_for()
    expect(page.get_by_text("[*]:")).to_have_count(0)


def test_the_stop_button_cancels_what_waits(notebook: Lab) -> None:
    press_run(notebook, "import time\ntime.sleep(60)")
    press_run(notebook, "ran = 1")
    wait_until_busy(notebook)
    press_stop(notebook)
    notebook.page.locator(".jp-OutputArea-output").get_by_text("KeyboardInterrupt").first.wait_for()
    press_run(notebook, "'ran' in globals()")
    notebook.page.locator(".jp-OutputArea-executeResult").get_by_text("False").wait_for()


@pytest.mark.parametrize("code", ["input('name? ')", "from getpass import getpass\ngetpass('name? ')"])
def test_the_stop_button_closes_the_prompt(notebook: Lab, code: str) -> None:
    page = notebook.page
    press_run(notebook, code)
    page.locator(".jp-Stdin-input").wait_for()
    press_stop(notebook)
    page.locator(".jp-OutputArea-output").get_by_text("KeyboardInterrupt").first.wait_for()
    expect(page.locator(".jp-Stdin-input")).to_have_count(0)
    press_run(notebook, "'usable'")
    page.locator(".jp-OutputArea-executeResult").get_by_text("usable").wait_for()


def test_the_stop_button_offers_to_restart_what_does_not_respond(notebook: Lab) -> None:
    """The notebook, its session and its kernel's id stay. The notice says that the variables are lost."""
    page = notebook.page
    identity = "() => { const { session } = jupyterapp.shell.currentWidget.sessionContext; return [session.id, session.kernel.id]; }"
    before = notebook.js(identity)
    press_run(notebook, "lost = 1")
    page.get_by_text("[1]:").first.wait_for()
    press_run(notebook, "sum(range(3 * 10**8))")
    wait_until_busy(notebook)
    press_stop(notebook)
    page.get_by_role("button", name="Restart now").click()
    page.locator(".jp-OutputArea-output").get_by_text("KernelRestarted").first.wait_for()
    page.get_by_text("Python stopped and was restarted; variables are lost").wait_for()
    page.locator(".jp-Dialog").get_by_role("button").click()  # JupyterLab also says that the kernel restarts.
    press_run(notebook, "'lost' in globals()")
    page.locator(".jp-OutputArea-executeResult").get_by_text("False").wait_for()
    assert notebook.js(identity) == before


def test_the_status_bar_says_what_stop_can_do(notebook: Lab) -> None:
    item = notebook.page.locator("#jp-browsergrad-stop-mode")
    isolated = notebook.js("crossOriginIsolated")
    expect(item).to_have_text("Stop: at once" if isolated else "Stop: within a moment")
    expect(item).to_have_attribute(
        "title", re.compile(f"The page is {'' if isolated else 'not '}cross-origin isolated: .*variables are kept")
    )


def test_a_double_click_on_stop_ends_one_cell_once(notebook: Lab) -> None:
    """The second press comes while the cell cleans up. The cell must be able to finish that."""
    page = notebook.page
    press_run(
        notebook,
        "import time\ntry:\n    while True: pass\nfinally:\n    begin = time.time()\n    while time.time() < begin + .1: pass\n    cleaned = True",
    )
    wait_until_busy(notebook)
    page.locator('.jp-NotebookPanel-toolbar [data-command="notebook:interrupt-kernel"]').dblclick()
    page.locator(".jp-OutputArea-output").get_by_text("KeyboardInterrupt").first.wait_for()
    press_run(notebook, "cleaned")
    page.locator(".jp-OutputArea-executeResult").get_by_text("True").wait_for()
