"""Labs in JupyterLab on a server, whose ordinary kernel knows nothing of them: there the front end refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Lab, jupyterlab, open_jupyterlab
from playwright.sync_api import Browser, expect
from test_labs import MANIFEST, OPEN, RUN_ALL, download, lab_files, notebook, texts

CONTENTS = re.compile(r"/api/contents/plain/manifest\.json")
KERNELSPEC = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
FOLDERS = {
    **lab_files("good"),
    **lab_files("pinned", requires_browsergrad="^0.9.0"),
    "good/lab.ipynb": notebook("x = 41 + 1\nprint('ran', x)", kernelspec=KERNELSPEC),
    "pinned/lab.ipynb": notebook("print('ran')", kernelspec=KERNELSPEC),
    "plain/plain.ipynb": notebook("print('ran')", kernelspec=KERNELSPEC),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    root = tmp_path_factory.mktemp("server")
    for name, data in FOLDERS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    with jupyterlab(root, tmp_path_factory.mktemp("home")) as (address, _):
        yield address, root


@pytest.fixture
def page(browser: Browser, server: tuple[str, Path]) -> Iterator[Lab]:
    with open_jupyterlab(browser, server[0]) as page:
        yield page


def open_here(page: Lab, path: str) -> None:
    page.js(OPEN, path)
    assert page.js("() => kernel.name") == "python3"


def test_a_good_lab_runs_and_is_checked(page: Lab) -> None:
    open_here(page, "good/lab.ipynb")
    expect(page.page.locator(".bg-LabBadge")).to_have_text("adding 1.0.0")
    assert texts(page.js(RUN_ALL)) == "ran 42\n"
    page.run("def add(a, b): return a + b\ndef double(a): return a")
    page.js("() => jupyterapp.commands.execute('browsergrad:check-my-work')")
    assert download(page)["counts"] == {"pass": 1, "fail": 1, "error": 0}


def test_a_lab_that_pins_another_runtime_is_refused(page: Lab) -> None:
    open_here(page, "pinned/lab.ipynb")
    message = "lab requires ^0.9.0, runtime is 0.8.1"
    expect(page.page.locator(".jp-Dialog")).to_contain_text(message)
    page.page.locator(".jp-Dialog .jp-mod-accept").click()
    expect(page.page.locator(".bg-LabBanner")).to_contain_text(message)
    (error,) = page.js(RUN_ALL)
    assert (error["output_type"], error["ename"], error["evalue"]) == ("error", "LabRuntimeMismatch", message)


def test_an_ordinary_notebook_runs(page: Lab) -> None:
    open_here(page, "plain/plain.ipynb")
    assert texts(page.js(RUN_ALL)) == "ran\n"
    assert page.page.locator(".bg-LabBadge, .bg-LabBanner").count() == 0


def test_a_manifest_that_cannot_be_read_refuses(page: Lab, server: tuple[str, Path]) -> None:
    open_here(page, "plain/plain.ipynb")
    page.page.context.route(CONTENTS, lambda route: route.fulfill(status=500, body="{}"))
    page.js("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.page.locator(".bg-LabBanner")).to_contain_text("could not be found out")
    (error,) = page.js(RUN_ALL)
    assert error["ename"] == "LabRuntimeMismatch"
    (server[1] / "plain" / "manifest.json").write_text(json.dumps(MANIFEST | {"id": "No"}), "utf-8")
    page.page.context.unroute(CONTENTS)
    page.js("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.page.locator(".bg-LabBanner")).to_contain_text("/id: must be kebab-case")
    (server[1] / "plain" / "manifest.json").unlink()
