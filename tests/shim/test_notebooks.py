"""``%run`` of notebooks: without nbformat, with await, in the user's namespace."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from browsergrad_kernel import notebooks, packages

from .conftest import Client


def write(path: Path, *sources: Any, **more: Any) -> None:
    cells = [
        {"cell_type": "code", "id": str(n), "metadata": {}, "outputs": [], "source": s} for n, s in enumerate(sources)
    ]
    markdown = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "not = code ="}
    path.write_text(
        json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [markdown, *cells], **more}), "utf-8"
    )


def test_its_names_are_the_users(client: Client, tmp_path: Path) -> None:
    write(
        tmp_path / "parts.ipynb", "def double(n):\n    return 2 * n", ["a = double(2)\n", "seen = __file__, __name__"]
    )
    answer = client.run("%run parts.ipynb\ndouble(a), seen[1], '__file__' in globals()")
    assert answer.result == "(8, '__main__', False)"
    assert client.run("seen[0]").result == repr(str(tmp_path / "parts.ipynb"))


def test_its_cells_may_await_and_use_magics(client: Client, tmp_path: Path) -> None:
    write(tmp_path / "parts.ipynb", "import asyncio\nawait asyncio.sleep(0)\n%time a = 1\n1 + 1", "print(a)")
    answer = client.run("%run parts.ipynb")
    assert answer.text().endswith("1\n") and "CPU times" in answer.text() and answer.result is None


def test_it_finds_modules_beside_it(client: Client, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "beside_the_notebook.py").write_text("v = 3")
    write(tmp_path / "sub" / "parts.ipynb", "import beside_the_notebook")
    assert client.run("%run sub/parts.ipynb\nbeside_the_notebook.v").result == "3"


def test_packages_that_its_cells_import_are_loaded(client: Client, tmp_path: Path) -> None:
    packages.configure([], True, ["loaded-for-parts"])
    write(tmp_path / "parts.ipynb", "import loaded_for_parts")
    client.host.load = lambda code: Path("loaded_for_parts.py").write_text("x = 1", "utf-8") and None
    assert client.run("%run parts.ipynb\nloaded_for_parts.x").result == "1"
    assert client.host.imports == ["import loaded_for_parts"]


@pytest.mark.parametrize(
    ("code", "awaits"),
    [
        ("%run script.py", False),
        ("%run script", False),
        ("%run Parts.IPYNB", True),
        ("%run {name}", True),
        ("%run $name", True),
    ],
)
def test_a_script_runs_as_typed(client: Client, code: str, awaits: bool) -> None:
    """The traceback shows the same line as ipykernel's."""
    transformed = client.kernel.shell.transform_cell(code)
    assert (notebooks.await_run(transformed) != transformed) is awaits


@pytest.mark.parametrize("number", [2, 3])
def test_older_formats_are_read(client: Client, tmp_path: Path, number: int) -> None:
    cells = [
        {"cell_type": "code", "language": "python", "input": ["a =", " 5"], "outputs": []},
        {"cell_type": "heading", "source": "x"},
    ]
    notebook = {"nbformat": number, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}
    (tmp_path / "old.ipynb").write_text(json.dumps(notebook), "utf-8")
    assert client.run("%run old.ipynb\na").result == "5"


def test_an_error_ends_it_and_is_shown_once(client: Client, tmp_path: Path) -> None:
    write(tmp_path / "bad.ipynb", "a = 1", "def fails():\n    return 1 / 0\nfails()", "never = 1")
    answer = client.run("%run bad.ipynb")
    (error,) = answer.contents("error")
    assert answer.reply["ename"] == error["ename"] == "ZeroDivisionError"
    text = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error["traceback"]))
    assert "fails()" in text and "return 1 / 0" in text and "notebooks.py" not in text
    assert client.run("a, 'never' in globals()").result == "(1, False)"
    assert client.run("1 / 0").contents("error")[0]["ename"] == "ZeroDivisionError"


def test_a_cell_that_does_not_compile_is_told(client: Client, tmp_path: Path) -> None:
    write(tmp_path / "bad.ipynb", "1 +")
    assert [error["ename"] for error in client.run("%run bad.ipynb").contents("error")] == ["SyntaxError"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cells": 1}', '{"cells": [{}]}', '{"nbformat": 4}'])
def test_what_is_no_notebook_is_named(client: Client, tmp_path: Path, text: str) -> None:
    (tmp_path / "no.ipynb").write_text(text)
    reply = client.run("%run no.ipynb").reply
    assert reply["ename"] == "ValueError" and reply["evalue"].startswith(
        "no.ipynb cannot be run: it is not a notebook ("
    )


def test_a_missing_one_is_named(client: Client) -> None:
    assert client.run("%run none.ipynb").reply["evalue"] == "File `'none.ipynb'` not found."


@pytest.mark.parametrize(
    "code",
    [
        "%run 'with space.ipynb'",
        "name = 'with space'\n%run '{name}.ipynb'",
        "name = '\"with space.ipynb\"'\n%run $name",
        "if True:\n    %run -i 'with space.ipynb'",
        "async def main():\n    %run 'with space.ipynb'\nawait main()",
        "def main():\n    %run 'with space.ipynb'\nmain()",
        "run 'with space.ipynb'",
    ],
)
def test_the_ways_to_write_it(client: Client, tmp_path: Path, code: str) -> None:
    write(tmp_path / "with space.ipynb", "ran = 1")
    client.run(code)
    assert client.run("ran").result == "1"


def test_programs_run_as_ever(client: Client, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("import sys\nprint(__name__, sys.argv[1:])\nv = 7\n")
    answer = client.run("%run program.py a 'b c'\nv")
    assert answer.text() == "__main__ ['a', 'b c']\n" and answer.result == "7"
    assert client.run("%run -n program.py").text() == "program []\n"


def test_sys_exit_in_it_ends_the_cell(client: Client, tmp_path: Path) -> None:
    write(tmp_path / "exits.ipynb", "import sys\nsys.exit(3)", "never = 1")
    assert client.run("%run exits.ipynb\nafter = 1").reply["ename"] == "SystemExit"
    assert client.run("'never' in globals(), 'after' in globals()").result == "(False, False)"
