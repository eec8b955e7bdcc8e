"""Notebooks of others, run as a student runs them: opened in JupyterLab, all cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Lab, build_site, held, opened, served
from packed_site import TUTORIALS, code_cells
from playwright.sync_api import Browser

from tests.wheels import unzip

pytestmark = pytest.mark.pages("isolated")

GUIDE = "nbgrader/docs/source/user_guide"

RUN_ALL = """async path => {
  const { commands, restored } = jupyterapp;
  await restored;
  const panel = await commands.execute('docmanager:open', { path, factory: 'Notebook' });
  const context = panel.context.sessionContext;
  await panel.context.ready;
  await context.ready;
  for (let i = 0; i < 200 && !context.session?.kernel; i++) await new Promise(r => setTimeout(r, 100));
  if (context.session.kernel.name !== 'browsergrad') throw new Error(`opened with ${context.session.kernel.name}`);
  window.kernel = context.session.kernel;
  for (const cell of panel.content.widgets) {
    panel.content.activeCellIndex = panel.content.widgets.indexOf(cell);
    if (cell.model.type === 'code') await commands.execute('notebook:run-cell');
  }
  return panel.content.model.toJSON().cells;
}"""


@pytest.fixture(scope="session")
def embedded(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    guide = unzip(wheels, "nbgrader", GUIDE, tmp_path_factory.mktemp("nbgrader"))
    notebooks = {
        f"{part}/{path.name}": path.read_bytes()
        for part in ("source", "release")
        for path in (guide / part / "ps1").glob("*.ipynb")
    }
    # The front end of the widgets must come from the vendored wheel.
    packages = ["ipywidgets", "cowsay==6.1"]
    return build_site(tmp_path_factory.mktemp("site"), notebooks, front_ends=False, packages=packages)


def pages(browser: Browser, site: Path, isolated: bool) -> Iterator[Lab]:
    with served(site, isolated) as address, opened(browser, address) as lab:
        yield lab


@pytest.fixture(scope="module", params=["isolated", "plain"])
def new_lab(request: pytest.FixtureRequest, browser: Browser, embedded: Path) -> Iterator[Lab]:
    yield from pages(browser, embedded, request.param == "isolated")


@pytest.fixture(scope="module", params=["isolated", "plain"])
def old_lab(request: pytest.FixtureRequest, browser: Browser, packed_site: Path) -> Iterator[Lab]:
    """A page on Pyodide 0.27.7 (Python 3.12), with packages as packs."""
    yield from pages(browser, packed_site, request.param == "isolated")


def run_all(lab: Lab, path: str) -> list[dict[str, Any]]:
    """Open a notebook, run its cells one by one, and return the saved code cells."""
    return [cell for cell in lab.js(RUN_ALL, path) if cell["cell_type"] == "code"]


def errors(cells: list[dict[str, Any]]) -> dict[str, str]:
    """The name of the error with which each cell ended, by nbgrader's id of the cell."""
    return {
        cell["metadata"].get("nbgrader", {}).get("grade_id", ""): output["ename"]
        for cell in cells
        for output in cell["outputs"]
        if output["output_type"] == "error"
    }


def data(cell: dict[str, Any], mime: str) -> list[Any]:
    return [output["data"][mime] for output in cell["outputs"] if mime in output.get("data", {})]


def test_the_runtime_works_on_an_older_distribution(old_lab: Lab) -> None:
    outcome = old_lab.js(
        """async () => { const rt = await import('/extensions/jupyterlite-browsergrad/static/runtime/index.js');
        const session = await rt.createSession({ pyodideIndexURL: '/static/browsergrad/pyodide/', packages: ['numpy'] });
        const first = await session.exec({ code: "import sys, numpy, browsergrad as bg\\nx = numpy.arange(3).sum()\\nbg.assert_pass('a')\\nprint(sys.version_info[:2], x)" });
        const second = await session.exec({ code: 'while True: pass', timeoutMs: 300 });
        const third = await session.exec({ code: 'print(x)' });
        session.dispose();
        return [first.error, first.stdout, first.assertions.length, second.error.kind, third.error, third.stdout]; }"""
    )
    assert outcome == [None, "(3, 12) 3\n", 1, "timeout", None, "3\n"]


def test_a_compiled_module_of_an_older_distribution_takes_its_time(old_lab: Lab) -> None:
    """A module whose initialization Pyodide calls through JavaScript, where Python cannot be suspended."""
    code = """
import builtins, time
from pyodide.ffi import can_run_sync, run_sync
original = builtins.__import__
def slow(name, *args):
    if name == 'datetime' and not said:
        said.append(can_run_sync())
        begin = time.perf_counter()
        while time.perf_counter() - begin < .5: pass
        time.sleep(.01)
        try:
            run_sync(None)
        except RuntimeError as error:
            said.append(str(error))
    return original(name, *args)
said = []
builtins.__import__ = slow
import numpy
builtins.__import__ = original
print(numpy.arange(3).sum(), said)
"""
    script = """async code => { const rt = await import('/extensions/jupyterlite-browsergrad/static/runtime/index.js');
        const session = await rt.createSession({ pyodideIndexURL: '/static/browsergrad/pyodide/', packages: ['numpy'] });
        const { error, stdout } = await session.exec({ code });
        session.dispose();
        return [error, stdout]; }"""
    problem = "run_sync() cannot wait here: compiled code has called Python through JavaScript"
    assert old_lab.js(script, code) == [None, f"3 {[False, problem]}\n"]


@pytest.mark.thinned(2)
@pytest.mark.parametrize("name", ["problem1", "problem2"])
def test_the_solved_assignment_passes_its_tests(new_lab: Lab, name: str) -> None:
    cells = run_all(new_lab, f"source/{name}.ipynb")
    assert errors(cells) == {}
    assert all(cell["execution_count"] for cell in cells)
    if name == "problem1":
        assert data(cells[1], "text/plain") == ["[1, 4, 9, 16, 25, 36, 49, 64, 81, 100]"]


def test_the_assignment_as_released_fails_its_tests(new_lab: Lab) -> None:
    cells = run_all(new_lab, "release/problem1.ipynb")
    failed = errors(cells)
    for name in ("correct_squares", "squares_invalid_input", "correct_sum_of_squares"):
        assert failed[name] == "NotImplementedError"
    assert new_lab.run("squares.__name__").result == "'squares'", "the kernel goes on"


def test_science_on_an_older_distribution(old_lab: Lab) -> None:
    imports, frame, plot, series, inverse, wrong = run_all(old_lab, "science.ipynb")
    assert not imports["outputs"] or imports["outputs"][0]["name"] == "stderr"
    assert "<table" in "".join(data(frame, "text/html")[0])
    for cell in (plot, series):
        assert data(cell, "image/png")[0].startswith("iVBOR")
    assert data(inverse, "text/plain") == ["[[0.5, 0.0], [0.0, 0.25]]"]
    assert errors([wrong]) == {"": "AttributeError"}
    assert old_lab.run("import platform; platform.python_version()").result.startswith("'3.12")


def test_the_very_first_figure_shows(old_lab: Lab) -> None:
    (cell,) = run_all(old_lab, "one.ipynb")
    assert data(cell, "image/png")[0].startswith("iVBOR")


def comparable(cell: dict[str, Any]) -> list[tuple[str, str]]:
    """What the outputs of a cell show: text without addresses in memory, and that there is a picture."""
    found = []
    for output in cell["outputs"]:
        data = output.get("data") or {output.get("name", "error"): output.get("text", output.get("ename"))}
        for mime, value in sorted(data.items()):
            text = "".join(value) if mime != "image/png" else ""
            found.append((mime, re.sub(r"0x[0-9a-f]+", "0x", text)))
    return found


@pytest.mark.release
@pytest.mark.parametrize("name", list(TUTORIALS))
def test_a_tutorial_of_matplotlib_has_the_outputs_of_ipykernel(old_lab: Lab, name: str) -> None:
    cells = run_all(old_lab, f"{name}.ipynb")
    assert errors(cells) == {}
    assert all(picture.startswith("iVBOR") for cell in cells for picture in data(cell, "image/png"))
    assert [comparable(cell) for cell in cells] == [comparable(cell) for cell in code_cells(TUTORIALS[name])]


STOPPED = """async code => {
  const running = bg.run(code);
  await busy;
  await new Promise(resolve => setTimeout(resolve, 300));
  await kernel.interrupt();
  return (await running).reply.content.ename;
}"""


@pytest.mark.parametrize(
    "code",
    [
        "while True: pass",
        "import time\ntime.sleep(60)",
        "import asyncio\nawait asyncio.sleep(60)",
        "while True:\n  try: int('a')\n  except Exception: pass",
        "import numpy as np\nwhile True: np.arange(1000).sum()",
        "while True: print('x')",
    ],
)
def test_stop_works_on_an_older_distribution(old_lab: Lab, code: str) -> None:
    run_all(old_lab, "one.ipynb")
    old_lab.run("kept = 1")
    assert old_lab.js(STOPPED, code) == "KeyboardInterrupt"
    assert old_lab.run("kept").result == "1"


def installs(lab: Lab) -> None:
    lab.start()
    assert lab.run("%pip install cowsay").content["status"] == "ok"
    assert "hi" in lab.run("import cowsay\ncowsay.cow('hi')").text()
    refused = lab.run("%pip install there-is-no-such-package")
    assert "PyPI fallback is disabled" in refused.content["evalue"]
    request = {"code": "import json\njson.du", "cursor_pos": 19}
    with lab.page.expect_console_message(lambda message: "jedi is ready" in message.text):
        assert lab.request("complete_request", request).content["matches"] == ["dump", "dumps"]
    completed = {"matches": []}
    while not completed["matches"] or completed["metadata"]["_jupyter_types_experimental"][0]["type"] != "function":
        completed = lab.request("complete_request", request).content  # On a slow machine, jedi is interrupted at first.
    assert completed["matches"] == ["dump", "dumps"]


#: Fifteen requests that follow each other at once.
CELLS_AFTER_A_COMPLETION = """async code => {
  await kernel.requestComplete({ code: 'os.pa', cursor_pos: 5 });
  for (let i = 0; i < 15; i++) await bg.run(code);
}"""


def test_what_is_done_ahead_of_need_keeps_no_cell_waiting(new_lab: Lab) -> None:
    new_lab.start()
    new_lab.run("import importlib.util, os, sys, time")
    with new_lab.page.expect_console_message(lambda message: "jedi is ready" in message.text):
        new_lab.js(
            CELLS_AFTER_A_COMPLETION,
            "time.sleep(.2); there, early = importlib.util.find_spec('jedi'), 'jedi' in sys.modules",
        )
        assert new_lab.run("there is not None, early").result == "(True, False)"
    assert new_lab.run("'jedi' in sys.modules").result == "True"


def test_vendored_packages_install_without_another_origin(new_lab: Lab) -> None:
    installs(new_lab)  # The fixture counts requests to other origins.


def test_vendored_packages_install_on_an_older_distribution(old_lab: Lab) -> None:
    installs(old_lab)


@pytest.mark.thinned(2)
@pytest.mark.parametrize("isolated", [True, False], ids=["isolated", "plain"])
@pytest.mark.parametrize(
    "code", ["import comm, ipywidgets", "%pip install ipywidgets", "LOAD", "name = 'ipywidgets'\n__import__(name)"]
)
def test_stop_gives_up_a_download(browser: Browser, embedded: Path, isolated: bool, code: str) -> None:
    """Pyodide loads one package at a time. A package that never comes must not keep the next one from loading."""
    code = code.replace("LOAD", "import pyodide_js\nawait pyodide_js.loadPackage('ipywidgets')")
    with held(embedded, isolated, "/ipywidgets-") as (address, asked, release), opened(browser, address) as lab:
        lab.start()
        lab.js("code => { window.running = bg.run(code); }", code)
        while not asked.is_set():
            lab.page.wait_for_timeout(20)  # Playwright only passes requests on while it waits.
        lab.js("() => kernel.interrupt()")
        assert lab.js("() => running")["reply"]["content"]["ename"] == "KeyboardInterrupt"
        assert lab.run("import cowsay").content["status"] == "ok"
        release.set()
        assert lab.run("import ipywidgets").content["status"] == "ok"


ADD_CELL = """async code => {
  const panel = jupyterapp.shell.currentWidget;
  panel.content.activeCellIndex = panel.content.widgets.length - 1;
  await jupyterapp.commands.execute('notebook:insert-cell-below');
  panel.content.activeCell.model.sharedModel.setSource(code);
  await jupyterapp.commands.execute('notebook:run-cell');
}"""


def test_widgets_talk_both_ways(new_lab: Lab) -> None:
    page = new_lab.page
    new_lab.js(RUN_ALL, "release/problem2.ipynb")
    new_lab.js(
        ADD_CELL,
        "import ipywidgets as widgets\nimport base64\nslider = widgets.IntSlider(value=3, max=9)\n"
        f"picture = widgets.Image(value=base64.b64decode('{PIXEL}'), width=20)\n"
        "label = widgets.Label('none')\n"
        "slider.observe(lambda change: setattr(label, 'value', f'got {change.new}'), 'value')\n"
        "widgets.VBox([slider, picture, label])",
    )
    handle = page.get_by_role("slider")
    handle.wait_for()
    handle.focus()
    handle.press("ArrowRight")
    page.get_by_text("got 4", exact=True).wait_for()
    assert new_lab.run("slider.value").result == "4"
    image = page.locator(".widget-image")
    page.wait_for_function("document.querySelector('img.widget-image').naturalWidth === 1")
    assert image.get_attribute("src").startswith("blob:"), "its bytes came in a buffer"
    new_lab.run("slider.value = 7")
    page.wait_for_function("document.querySelector('.widget-readout').textContent === '7'")
    new_lab.js(
        ADD_CELL,
        "from ipywidgets import interact\n@interact(n=(0, 5))\ndef show(n=2):\n    print(f'n is {n}')\n    if n > 2:\n        raise ValueError(n)",
    )
    page.get_by_text("n is 2", exact=True).wait_for()
    handle = page.get_by_role("slider").last
    handle.focus()
    handle.press("ArrowRight")
    page.get_by_text("n is 3", exact=True).wait_for()
    page.get_by_text("ValueError: 3").wait_for()


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
