"""A folder in which each of Python's modules has a namesake. The kernel works, and imports give students their own files."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox

NAMES = sorted(
    {name for name in sys.stdlib_module_names if not name.startswith("_")}
    | {"jedi", "parso", "micropip", "piplite", "packaging", "IPython", "js"}
)


@pytest.fixture(scope="module", params=["untouched", "imported"])
def sandbox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Runs all cells in a folder with the files, or in one where the student has imported all files that can be imported."""
    folder: Path = tmp_path_factory.mktemp("drive")
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"print('this is {name}.py')\nmine = 1\n")
    with Sandbox(folder) as sandbox:
        if request.param == "imported":
            names = [
                "code",
                "cmd",
                "bdb",
                "queue",
                "statistics",
                "difflib",
                "optparse",
                "colorsys",
                "packaging",
                "calendar",
                "unittest",
                "sqlite3",
            ]
            loaded = run(sandbox, f"import {', '.join(names)}")
            assert "this is code.py" in loaded and "this is difflib.py" in loaded and "this is packaging.py" in loaded
        yield sandbox


def run(sandbox: Sandbox, code: str) -> str:
    result = sandbox.execute(code)
    assert result.content["status"] == "ok", "\n".join(result.content["traceback"])
    return result.text()


def complete(sandbox: Sandbox, code: str) -> dict[str, Any]:
    async def ask() -> list[dict[str, Any]]:
        message = sandbox.message("complete_request", {"code": code, "cursor_pos": len(code)})
        return [answer async for answer in sandbox.request(message)]

    (reply,) = [answer for answer in asyncio.run(ask()) if answer["header"]["msg_type"] == "complete_reply"]
    return reply["content"]


@pytest.mark.parametrize(
    "code",
    [
        "%pip list",
        "%pip check",
        "%pip install -U pip",
        "%timeit -n1 -r1 1",
        "%time 1",
        "%prun -q 1",
        "%history",
        "%who",
        "%lsmagic",
        "%load_ext autoreload",
        "import os; os.path.join??",
        "help(len)",
        "%%capture said\nprint(1)",
        "from IPython.display import HTML, display; display(HTML('a'))",
        "import asyncio; await asyncio.sleep(0)",
    ],
)
def test_what_the_kernel_does_works(sandbox: Sandbox, code: str) -> None:
    assert "this is" not in run(sandbox, code)


def test_the_debugger_starts(sandbox: Sandbox) -> None:
    content = sandbox.execute("breakpoint()").content
    assert content["ename"] == "StdinNotImplementedError", (
        content
    )  # It has asked a question, which nobody can answer here.
    sandbox.execute("1 / 0")
    assert sandbox.execute("%debug").content["ename"] == "StdinNotImplementedError"


def test_tracebacks_are_shown(sandbox: Sandbox) -> None:
    content = sandbox.execute("def f():\n    raise ValueError('mine')\nf()").content
    assert (content["ename"], content["evalue"]) == ("ValueError", "mine")


def test_names_are_completed(sandbox: Sandbox) -> None:
    run(sandbox, "number = 3")
    assert complete(sandbox, "numb")["matches"] == ["number"]
    run(sandbox, "text = 'a'")
    assert "upper" in complete(sandbox, "text.upp")["matches"]
    assert complete(sandbox, "def f():\n    return 'a'\nf().upp")["matches"] == ["upper"]  # jedi's


def test_the_students_own_files_are_theirs(sandbox: Sandbox) -> None:
    assert run(sandbox, "import colorsys, statistics\nprint(colorsys.mine, statistics.mine)").endswith("1 1\n")


def test_micropip_installs_whatever_lies_beside(sandbox: Sandbox) -> None:
    content = sandbox.execute("%pip install nothing-of-that-name").content
    assert "nothing-of-that-name could not be installed" in content["evalue"]
