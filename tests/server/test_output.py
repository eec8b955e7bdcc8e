"""Output by any way, in the order in which it was written, in Deno."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox
from tests.output_programs import PROGRAMS, joined


@pytest.fixture(scope="module", params=["snapshot", "files"])
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with Sandbox(tmp_path_factory.mktemp("out"), from_files=request.param == "files") as sandbox:
        yield sandbox


def test_what_is_written_is_shown_in_its_order(started: Sandbox) -> None:
    shown = {name: joined(started.execute(code).of("stream")) for name, code, _ in PROGRAMS}
    assert shown == {name: expected for name, _, expected in PROGRAMS}


def test_the_fault_handler_writes_to_the_cell(started: Sandbox) -> None:
    result = started.execute("import faulthandler\nfaulthandler.dump_traceback()")
    assert "most recent call first" in result.text("stderr")


def test_what_callbacks_write_belongs_to_the_newest_cell(started: Sandbox) -> None:
    started.execute("import asyncio, os\nfrom pyodide.ffi import create_once_callable\nfrom js import setTimeout")
    result = started.execute(
        "def late():\n    print('late')\n    os.write(1, b'later')\n"
        "setTimeout(create_once_callable(late), 0)\nawait asyncio.sleep(0.05)"
    )
    assert joined(result.of("stream")) == ["late\nlater"]


def test_much_that_descriptors_write_is_whole(tmp_path: Path) -> None:
    with Sandbox(tmp_path) as sandbox:
        text = sandbox.execute("import os\nfor i in range(20000): os.write(1, b'%d\\n' % i);").text()
    assert text == "".join(f"{i}\n" for i in range(20000))
