"""A cell fills the memory that the browser gives Python, or damages it: the cell ends with an error in words, and the next one runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from boot_sites import Change, copy, device_memory, nothing, opened
from conftest import Lab
from playwright.sync_api import Browser, expect

pytestmark = pytest.mark.pages("either")

ADVICE = "Delete what you no longer need (`del name`)"


@pytest.mark.parametrize(
    "code",
    [
        "while True: filled.append(bytearray(10**7))",
        # Small values leave no room for the traceback and the reply.
        pytest.param("while True: filled.append([0] * 100_000)", marks=pytest.mark.release),
    ],
    ids=["large", "small"],
)
def test_memory_that_is_full_is_an_error_and_can_be_emptied(lab: Lab, code: str) -> None:
    lab.run("filled = []")
    run = lab.run(code)
    assert run.content["ename"] == "MemoryError" and run.idle
    assert ADVICE in "".join(run.of("error")[0]["traceback"])
    assert lab.run("6 * 7").result == "42"
    assert lab.run("filled.clear()\nlen(bytearray(10**8))").result == str(10**8)


def test_texts_above_2_gb_reach_the_page(lab: Lab) -> None:
    """Addresses there are negative to JavaScript."""
    lab.run("text = ''\nfilled = []\nwhile id(text) < 2**31:\n    text = 'b' * 10**7\n    filled.append(text)")
    assert lab.run("import js\njs.eval('t => t.length + t.slice(0, 2)')(text)").result == "'10000000bb'"
    assert lab.run("print(text[:300])").text() == "b" * 300 + "\n"
    assert lab.run("filled.clear()\ndel text\n6 * 7").result == "42"


@pytest.mark.parametrize(
    "code",
    ["ctypes.memset(0xFFFFF000, 0, 10**6)", "ctypes.memset(64, 255, 20_000_000)"],
    ids=["outside", "inside"],
)
def test_memory_that_is_damaged_ends_python_which_says_so_and_starts_anew(lab: Lab, code: str) -> None:
    lab.run("gone = 1")
    run = lab.run(f"import ctypes\n{code}")
    assert run.content["ename"] == "KernelDied" and run.idle
    assert "used memory that is not Python's" in run.content["evalue"]
    expect(lab.page.get_by_text("Python stopped and was restarted; variables are lost").first).to_be_visible()
    assert lab.run("'gone' in globals()").result == "False"
    lab.js("() => kernel.restart()")
    assert lab.run("6 * 7").result == "42"


@pytest.mark.thinned(2)
@pytest.mark.parametrize(
    ("settings", "gigabytes", "change", "limit_mb"),
    [
        ({}, 0.5, nothing, 256),
        ({"memoryLimit": 200}, 8, nothing, 200),
        ({"memoryLimit": 200}, 8, lambda _kernel, manifest: manifest.pop("snapshot"), 200),
        ({"memoryLimit": 0}, 0.5, nothing, None),
    ],
    ids=["the device", "the site", "the site, from files", "no limit"],
)
def test_a_cell_that_takes_too_much_for_the_device_gets_an_error_and_not_the_page(
    browser: Browser,
    site: Path,
    tmp_path: Path,
    settings: dict[str, int],
    gigabytes: float,
    change: Change,
    limit_mb: int | None,
) -> None:
    changed = copy(site, tmp_path, change, prewarm=False, **settings)
    with opened(browser, changed, script=device_memory(gigabytes)) as (lab, _log):
        lab.start()
        run = lab.run("filled = []\nwhile len(filled) < 400: filled.append(bytes(10**6))")
        taken = int(str(lab.run("len(filled)").result))
        if limit_mb is None:
            assert taken == 400
        else:
            assert run.content["ename"] == "MemoryError" and ADVICE in "".join(run.of("error")[0]["traceback"])
            assert limit_mb / 2 < taken < limit_mb
        assert lab.run("filled.clear()\n6 * 7").result == "42"
