"""The server kernel in JupyterLab, used as people use it: cells, Stop, a question, a restart, a lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Lab, jupyterlab, open_jupyterlab, write_files
from playwright.sync_api import Browser, expect
from test_labs import OPEN, RUN_ALL, lab_files, notebook, texts

from tests.processes import children, wait_gone

FOLDERS = {
    **lab_files("good"),
    **lab_files("pinned", requires_browsergrad="^0.9.0"),
    "plain/plain.ipynb": notebook("kept = open('data.txt').read()\nprint(kept)"),
    "plain/data.txt": b"read here",
}
FIRST = "() => { panel.content.activeCellIndex = 0; }"
WRITE = "source => { panel.content.activeCell.model.sharedModel.setSource(source); }"
RUN = "() => { void jupyterapp.commands.execute('notebook:run-cell'); }"
BUTTON = ".jp-NotebookPanel-toolbar [data-command='{}'], .jp-NotebookPanel-toolbar [data-jp-item-name='{}'] *:is(button, jp-button)"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    root = tmp_path_factory.mktemp("server")
    write_files(root, FOLDERS)
    with jupyterlab(root, tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture
def page(browser: Browser, server: tuple[str, int]) -> Iterator[Lab]:
    with open_jupyterlab(browser, server[0]) as page:
        yield page
        page.js("() => jupyterapp.serviceManager.sessions.shutdownAll()")


def open_here(page: Lab, path: str) -> None:
    page.js(OPEN, path)
    assert page.js("() => kernel.name") == "browsergrad"


def run(page: Lab, source: str) -> None:
    """Replace the first cell's text and run the cell. Does not wait for its end."""
    page.js(FIRST)
    page.js(WRITE, source)
    page.js(RUN)


def click(page: Lab, command: str, name: str) -> None:
    page.page.locator(BUTTON.format(command, name)).first.click()


def test_cells_stop_questions_and_a_restart(page: Lab, server: tuple[str, int]) -> None:
    open_here(page, "plain/plain.ipynb")
    assert texts(page.js(RUN_ALL)) == "read here\n"
    output = page.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Cell").first.locator(".jp-OutputArea-output")

    run(page, "print('started')\nwhile True: pass")
    expect(output.first).to_have_text("started\n")
    click(page, "notebook:interrupt-kernel", "interrupt")
    expect(output.last).to_contain_text("KeyboardInterrupt")
    run(page, "print('kept:', kept)")
    expect(output).to_have_text("kept: read here\n")

    run(page, "print('hello', input('name? '))")
    field = page.page.locator(".jp-Stdin-input")
    field.fill("Ada")
    field.press("Enter")
    expect(output.last).to_contain_text("hello Ada")

    before = children(server[1], "deno")
    assert len(before) == 1
    click(page, "notebook:restart-kernel", "restart")
    page.page.locator(".jp-Dialog .jp-mod-warn").click()
    wait_gone(before)
    run(page, "print('kept' in globals())")
    expect(output).to_have_text("False\n")

    after = children(server[1], "deno")
    assert len(after) == 1
    page.js("() => panel.context.sessionContext.shutdown()")
    wait_gone(after)


def test_a_lab_runs_and_one_that_pins_another_runtime_is_refused(page: Lab) -> None:
    open_here(page, "good/lab.ipynb")
    expect(page.page.locator(".bg-LabBadge")).to_have_text("adding 1.0.0")
    assert texts(page.js(RUN_ALL)) == "ran 42\n"

    open_here(page, "pinned/lab.ipynb")
    message = "lab requires ^0.9.0, runtime is 0.8.1"
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(page.page.locator(".bg-LabBanner")).to_contain_text(message)
    (error,) = page.js(RUN_ALL)
    assert (error["ename"], error["evalue"]) == ("LabRuntimeMismatch", message)
    # The kernel refuses too, whichever client asks.
    assert page.run("print('ran')").content["evalue"] == message


@pytest.mark.release
def test_no_sandbox_outlives_the_server(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    with jupyterlab(tmp_path, tmp_path / "home") as (address, pid), open_jupyterlab(browser, address) as page:
        page.start()
        page.js("() => { bg.run('while True: pass'); return busy; }")
        below = children(pid)
        assert len(children(pid, "deno")) == 1
    wait_gone(below)
