"""Labs in JupyterLite: what is checked before anything runs, and what a student does with one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Lab, build_site, open_lab, serve
from playwright.sync_api import Browser, expect

MANIFEST: dict[str, Any] = {
    "id": "adding",
    "version": "1.0.0",
    "requires_browsergrad": "^0.8.0",
    "required_ops": [],
    "rubric_path": "rubric.py",
    "starter_path": "starter.py",
    "reference_path": "solution.py",
}
RUBRIC = """
import browsergrad as bg

with bg.check("add adds"):
    assert add(1, 2) == 3, "add(1, 2) is 3"
with bg.check("double doubles"):
    assert double(4) == 8, "double(4) is 8"
print("a rubric may print")
"""
STARTER = (
    "# %% [markdown]\n# ## Your turn\n# %%\ndef add(a, b):\n    return 0\n# %%\ndef double(a):\n    return 2 * a\n"
)
PINS = ["^0.9.0", "~0.8.99", "1.0.0"]
DATA = b"1,2\n3,4\n"


def notebook(*cells: str, **metadata: Any) -> bytes:
    made = [
        {"cell_type": "code", "id": f"c{index}", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
        for index, cell in enumerate(cells)
    ]
    kernelspec = {"name": "browsergrad", "display_name": "Python (BrowserGrad)", "language": "python"}
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernelspec, **metadata}, "cells": made}
    ).encode()


def lab_files(folder: str, **changes: Any) -> dict[str, bytes]:
    return {
        f"{folder}/manifest.json": json.dumps(MANIFEST | changes).encode(),
        f"{folder}/lab.ipynb": notebook("x = 41 + 1\nprint('ran', x)"),
        f"{folder}/rubric.py": RUBRIC.encode(),
        f"{folder}/starter.py": STARTER.encode(),
        f"{folder}/solution.py": b"def add(a, b):\n    return a + b  # the-secret-solution\n",
    }


def hash_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


CONTENTS = {
    "plain.ipynb": notebook("print('ran')"),
    **lab_files("good"),
    **{name: data for pin in PINS for name, data in lab_files(f"pin {pin}", requires_browsergrad=pin).items()},
    "named/labs/adding.json": json.dumps(MANIFEST | {"requires_browsergrad": "^0.9.0"}).encode(),
    "named/lab.ipynb": notebook("print('ran')", browsergrad={"manifest": "labs/adding.json"}),
    **lab_files(
        "data",
        datasets=[
            {"name": "points", "url": "files/points.csv", "hash": hash_of(DATA)},
            {"name": "wrong", "url": "files/points.csv", "hash": "sha256:" + "0" * 64},
            {"name": "gone", "url": "files/gone.csv"},
            {"name": "loose", "url": "files/points.csv"},
        ],
    ),
    "data/files/points.csv": DATA,
}

OPEN = """async path => {
  await jupyterapp.restored;
  const panel = await jupyterapp.commands.execute('docmanager:open', { path, factory: 'Notebook' });
  await panel.context.ready;
  const context = panel.context.sessionContext;
  await context.ready;
  while (!context.session?.kernel) await new Promise(r => context.kernelChanged.connect(r));
  window.panel = panel;
  window.kernel = context.session.kernel;
}"""
RUN_ALL = """async () => {
  await jupyterapp.commands.execute('notebook:run-all-cells').catch(() => undefined);
  return panel.content.model.toJSON().cells.flatMap(cell => cell.outputs ?? []);
}"""
SAVE = """async ([path, text]) => {
  const { contents } = jupyterapp.serviceManager;
  await contents.save(path, { type: 'file', format: 'text', content: text });
}"""


@pytest.fixture(scope="module")
def labs_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_site(tmp_path_factory.mktemp("labs"), CONTENTS)


@pytest.fixture(scope="module", params=["isolated", "plain"])
def labs_base(request: pytest.FixtureRequest, labs_site: Path) -> Iterator[str]:
    server, address = serve(labs_site, request.param == "isolated")
    yield address
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser: Browser, labs_base: str) -> Iterator[Lab]:
    lab = open_lab(browser, labs_base)
    yield lab
    assert lab.foreign == [], "nothing may come from another origin"
    lab.page.context.close()


def texts(outputs: list[dict[str, Any]]) -> str:
    return "".join("".join(output.get("text", "")) for output in outputs)


def open_notebook(page: Lab, path: str) -> None:
    page.js(OPEN, path)


def refusal(page: Lab, code: str = "print('ran')") -> str:
    """What the kernel answers a cell that comes through its client; it must not run."""
    run = page.run(code)
    assert run.content["status"] == "error"
    assert run.content["ename"] == "LabRuntimeMismatch"
    assert [error["evalue"] for error in run.of("error")] == [run.content["evalue"]]
    assert run.text() == ""
    assert run.idle
    return run.content["evalue"]


def test_a_good_lab_opens_and_its_cells_run(page: Lab) -> None:
    open_notebook(page, "good/lab.ipynb")
    expect(page.page.locator(".bg-LabBadge")).to_have_text("adding 1.0.0")
    assert texts(page.js(RUN_ALL)) == "ran 42\n"
    run = page.run("import browsergrad as bg; bg.lab.id, bg.lab.version, str(bg.lab.folder)")
    assert run.result == "('adding', '1.0.0', '/drive/good')"


def test_a_notebook_without_a_manifest_is_an_ordinary_one(page: Lab) -> None:
    open_notebook(page, "plain.ipynb")
    assert texts(page.js(RUN_ALL)) == "ran\n"
    run = page.run("import browsergrad as bg; bg.lab.id")
    assert "belongs to no lab" in run.content["evalue"]
    assert page.page.locator(".bg-LabBadge, .bg-LabBanner").count() == 0


@pytest.mark.parametrize("pin", PINS)
def test_a_lab_that_pins_another_runtime_does_not_run(page: Lab, pin: str) -> None:
    open_notebook(page, f"pin {pin}/lab.ipynb")
    message = f"lab requires {pin}, runtime is 0.8.1"
    expect(page.page.locator(".jp-Dialog")).to_contain_text(message)
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(page.page.locator(".bg-LabBanner")).to_contain_text(message)
    (error,) = page.js(RUN_ALL)
    assert (error["output_type"], error["ename"], error["evalue"]) == ("error", "LabRuntimeMismatch", message)
    assert refusal(page) == message
    assert refusal(page, "") == message
    page.js("() => kernel.restart()")
    assert refusal(page) == message
