"""Starts from the memory snapshot: users see no difference, and Python starts whatever is wrong with the snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import test_kernel
from boot_sites import FROM_FILES, FROM_SNAPSHOT, WITHOUT, Change, copy, opened, replace, snapshot
from conftest import OTHER_PYODIDE, build_site, new_page, open_lab, serve
from playwright.sync_api import Browser

from jupyterlite_browsergrad.boot import zstd
from tests.zstd import unpack_zstd

#: The same tests as for the other way to start, see `base`.
globals().update({name: value for name, value in vars(test_kernel).items() if name.startswith("test_")})


@pytest.fixture(scope="session", params=["files"])
def base(site: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """A site without its snapshot, so that the kernel's tests cover both ways to start."""
    folder = copy(site, tmp_path_factory.mktemp("files"), lambda kernel, manifest: snapshot(kernel, manifest).unlink())
    server, address = serve(folder, isolated=True)
    yield address
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("isolated", [True, False])
def test_python_starts_from_the_snapshot(browser: Browser, site: Path, isolated: bool) -> None:
    with opened(browser, site, isolated) as (lab, log):
        lab.start()
        assert lab.run("1 + 1").result == "2"
        assert FROM_SNAPSHOT in log
        assert not [line for line in log if WITHOUT in line]


#: Keys that a set holds and does not find, since their hash has changed.
LOST_KEYS = """from browsergrad_kernel.interrupts import frames
[key for held in (frames._runs_cells, frames._regions, frames._protected, frames._handler) for key in held if key not in held]"""


def test_code_that_python_looks_up_is_found_in_the_snapshot(browser: Browser, site: Path) -> None:
    with opened(browser, site, True) as (lab, log):
        lab.start()
        assert FROM_SNAPSHOT in log
        assert lab.run(LOST_KEYS).result == "[]"


def _other_build(kernel: Path, manifest: dict[str, Any]) -> None:
    """A snapshot that is whole, but belongs to another Pyodide."""
    path = snapshot(kernel, manifest)
    data = unpack_zstd(path.read_bytes())
    at = data.index(b'"buildId":"') + len(b'"buildId":"')
    changed = zstd.compress(data[:at] + b"0" * 64 + data[at + 64 :], zstd.QUICK_LEVEL)
    assert changed is not None
    replace(path, changed)
    manifest["snapshot"]["sha256"] = hashlib.sha256(changed).hexdigest()


def _missing(kernel: Path, manifest: dict[str, Any]) -> None:
    snapshot(kernel, manifest).unlink()


@pytest.mark.thinned(2)
@pytest.mark.parametrize("change", [_missing, _other_build], ids=["missing", "other_build"])
def test_python_starts_all_the_same_and_the_log_says_why(
    browser: Browser, site: Path, tmp_path: Path, change: Change
) -> None:
    with opened(browser, copy(site, tmp_path, change)) as (lab, log):
        lab.start()
        assert lab.run("import sys, prompt_toolkit; 1 + 1").result == "2"
        assert FROM_FILES in log
        assert [line for line in log if line.startswith(WITHOUT)], log


def test_a_site_without_a_snapshot_says_nothing(browser: Browser, site: Path, tmp_path: Path) -> None:
    with opened(browser, copy(site, tmp_path, lambda kernel, manifest: manifest.pop("snapshot"))) as (lab, log):
        lab.start()
        assert lab.run("1 + 1").result == "2"
        assert FROM_FILES in log and not [line for line in log if WITHOUT in line]


def test_a_missing_jedi_leaves_completion_of_what_was_run(browser: Browser, site: Path, tmp_path: Path) -> None:
    def change(kernel: Path, manifest: dict[str, Any]) -> None:
        (kernel / manifest["packs"]["jedi"]["file"]).unlink()

    with opened(browser, copy(site, tmp_path, change)) as (lab, _log):
        lab.start()
        lab.run("import os")
        with lab.page.expect_console_message(
            lambda message: "jedi" in message.text and "is missing from the site" in message.text
        ):
            content = lab.request("complete_request", {"code": "os.pa", "cursor_pos": 5}).content
        assert "path" in content["matches"]
        assert (content["cursor_start"], content["cursor_end"]) == (3, 5)
        assert lab.request("complete_request", {"code": "json.du", "cursor_pos": 7}).content["matches"] == []


def test_a_notebook_finds_python_ready(browser: Browser, site: Path) -> None:
    with opened(browser, site) as (lab, log):
        lab.page.wait_for_function("performance.getEntriesByName('browsergrad:spare').length")
        (spare,) = lab.page.workers
        lab.start("sub")
        assert lab.run("open('data.txt').read()").result == "'hello'"
        assert spare in lab.page.workers
        assert FROM_SNAPSHOT not in log, "a kernel that has to start says so; a spare has started for nobody"


@pytest.mark.release
def test_another_distribution_has_a_snapshot_of_its_own(browser: Browser, tmp_path: Path, other_pyodide: Path) -> None:
    site = build_site(tmp_path, pyodide_url=str(other_pyodide))
    with opened(browser, site) as (lab, log):
        lab.start("sub")
        assert lab.run("import pyodide, sqlite3; pyodide.__version__").result == repr(OTHER_PYODIDE)
        traceback = "".join(lab.run("import json; json.loads('{')").content["traceback"])
        assert "scan_once" in traceback and "JSONDecodeError" in traceback
        assert lab.run("open('data.txt').read()").result == "'hello'"
        assert (
            "path" in lab.request("complete_request", {"code": "import os; os.pa", "cursor_pos": 16}).content["matches"]
        )
        assert lab.run("import micropip").content["status"] == "ok"
        assert FROM_SNAPSHOT in log
    kernel = site / "static/browsergrad/kernel"
    replace(next(kernel.glob("snapshot.*.bin")), b"damaged")
    with opened(browser, site) as (lab, log):
        lab.start()
        assert lab.run("import json; json.__cached__[-4:]").result == "'.pyc'"
        assert FROM_FILES in log


def test_what_was_not_in_memory_is_there(browser: Browser, site: Path) -> None:
    with opened(browser, site) as (lab, log):
        lab.start("sub")
        assert (
            lab.run("import sqlite3; sqlite3.connect(':memory:').execute('select 41 + 1').fetchone()[0]").result == "42"
        )
        assert lab.run("import inspect, IPython\n'def embed' in inspect.getsource(IPython)").result in ("True", "False")
        assert lab.run("import prompt_toolkit, importlib.metadata as m; m.version('ipython') != ''").result == "True"
        traceback = "".join(lab.run("import json; json.loads('{')").content["traceback"])
        assert "scan_once" in traceback and "JSONDecodeError" in traceback
        assert lab.run("open('data.txt').read()").result == "'hello'"
        assert lab.run("import pickle\nclass A: pass\ntype(pickle.loads(pickle.dumps(A()))) is A").result == "True"
        assert lab.run("import __main__; __main__.A is A and __name__ == '__main__'").result == "True"
        assert lab.run("In[1][:6], get_ipython().execution_count").result == "('import', 9)"
        assert FROM_SNAPSHOT in log


def test_the_session_runs_from_its_files(browser: Browser, site: Path) -> None:
    """The runtime without Jupyter does not load IPython."""
    server, address = serve(site, isolated=True)
    page = new_page(browser)
    try:
        page.goto(f"{address}/lab/index.html")
        names = page.evaluate(
            """async base => {
              const { createSession } = await import(`${base}runtime/index.js`);
              const session = await createSession({ pyodideIndexURL: `${base}pyodide/` });
              const { stdout } = await session.exec({ code: 'import sys; print("IPython" in sys.modules)' });
              session.dispose();
              return stdout;
            }""",
            f"{address}/extensions/jupyterlite-browsergrad/static/",
        )
        assert names == "False\n"
    finally:
        page.close()
        server.shutdown()
        server.server_close()


def test_open_lab_asks_no_other_origin(browser: Browser, base: str) -> None:
    lab = open_lab(browser, base)
    lab.start()
    assert lab.run("1").idle and lab.foreign == []
    lab.page.context.close()
