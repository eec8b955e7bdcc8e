"""Pyodide 0.27 in a browser that cannot suspend Python: packages that no text names, and recursion, which a newer browser ends too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import STACK_SWITCHING, Lab, opened, served, without
from playwright.sync_api import Browser
from recursion.table import on_3_12, on_one_stack, problems_in, short

#: The whole table runs only before a release.
PROGRAMS = [program for program in on_3_12() if not program.get("slow")]
TRIED = PROGRAMS if os.environ.get("ALL_STARTS") else short(PROGRAMS)


@pytest.fixture(scope="module")
def old_browser_site(full_site: Path, static: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole distribution with one damaged package."""
    site = without(full_site, static, tmp_path_factory.mktemp("no-jspi"), STACK_SWITCHING)
    (hurt,) = (site / "static/browsergrad/pyodide").glob("hurt-*.whl")
    damaged = hurt.read_bytes().replace(b"1.0", b"1.1")
    hurt.unlink()  # a hard link
    hurt.write_bytes(damaged)
    return site


@pytest.fixture(scope="module")
def lab(browser: Browser, old_browser_site: Path) -> Iterator[Lab]:
    with served(old_browser_site, True) as address, opened(browser, address) as lab:
        lab.start()
        assert lab.run("from pyodide.ffi import can_run_sync; can_run_sync()").result == "False"
        yield lab


@pytest.mark.release
def test_an_import_by_a_made_up_name_finds_a_package(lab: Lab) -> None:
    assert lab.run("name = 'pu' + 're'\n__import__(name).version").result == "'1.0'"
    assert lab.run("import pure\npure.version").result == "'1.0'"


def test_compiled_modules_are_found_with_what_they_need(lab: Lab) -> None:
    assert (
        lab.run(
            "from importlib import import_module\npd = import_module('pan' + 'das')\nint(pd.Series([1, 2]).sum())"
        ).result
        == "3"
    )
    # The package that came now counts as loaded for imports that a text names.
    assert lab.run("import numpy\nnumpy.arange(3).tolist()").result == "[0, 1, 2]"


def test_a_damaged_file_is_named_and_not_unpacked(lab: Lab) -> None:
    refused = lab.run("__import__('hu' + 'rt')").content
    assert (
        refused["ename"] == "ModuleNotFoundError"
        and "hurt-1.0-py3-none-any.whl has another sha256" in refused["evalue"]
    )
    assert lab.run("import os, site\n'hurt' in os.listdir(site.getsitepackages()[0])").result == "False"


def test_what_only_pyodide_can_link_is_asked_for_in_a_cell_of_its_own(lab: Lab) -> None:
    refused = lab.run("__import__('sci' + 'py.linalg')").content
    assert (
        refused["ename"] == "ModuleNotFoundError" and "Write `import scipy` into a cell of its own" in refused["evalue"]
    )
    lab.run("import scipy")
    assert lab.run("__import__('sci' + 'py.linalg').linalg.inv([[2.0]]).tolist()").result == "[[0.5]]"


@pytest.mark.timeout(900)
def test_too_deep_a_recursion_is_an_error_on_one_stack(lab: Lab) -> None:
    assert problems_in(lab, on_one_stack(TRIED)) == []


@pytest.mark.release
@pytest.mark.timeout(900)
def test_too_deep_a_recursion_is_an_error_where_python_can_be_suspended(browser: Browser, full_site: Path) -> None:
    with served(full_site, True) as address, opened(browser, address) as lab:
        lab.start()
        assert problems_in(lab, TRIED) == []
