"""A sandbox as graders use it: it runs cells, keeps limits, and answers whatever happens."""

from __future__ import annotations

import asyncio
import os
import queue
import re
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
from hangs import HANG_S

from jupyterlite_browsergrad.server_kernel.sandbox import Limits, Result, Sandbox, SandboxError

MEGABYTE = 1 << 20


def test_a_cell_runs_and_its_variables_stay(sandbox: Sandbox) -> None:
    assert sandbox.execute("a = 41\nprint('out')").text() == "out\n"
    result = sandbox.execute("a + 1")
    assert result.of("execute_result")[0]["data"]["text/plain"] == "42"
    assert result.content["status"] == "ok"


def test_files_of_the_folder_are_shared_both_ways(sandbox: Sandbox, folder: Path) -> None:
    (folder / "in.bin").write_bytes(b"\xff\0in")
    result = sandbox.execute("d = open('in.bin', 'rb').read()\nopen('out.bin', 'wb').write(d[::-1])\nd")
    assert result.of("execute_result")[0]["data"]["text/plain"] == r"b'\xff\x00in'"
    assert (folder / "out.bin").read_bytes() == b"ni\0\xff"


def test_modules_are_found_however_late_they_come(sandbox: Sandbox, folder: Path) -> None:
    assert sandbox.execute("import by_host").content["ename"] == "ModuleNotFoundError"
    (folder / "by_host.py").write_text("made = 1", "utf-8")
    result = sandbox.execute("import by_host\nopen('by_cell.py', 'w').write('made = 2')\nimport by_cell\nby_cell.made")
    assert result.content["status"] == "ok", result.content


def test_the_first_report_of_a_check_imports_nothing(sandbox: Sandbox) -> None:
    """Everything that it needs is in the snapshot. In a page, anything else would have to be fetched first."""
    code = "import sys, browsergrad as bg\nbefore = set(sys.modules)\nbg.assert_pass('a')\nset(sys.modules) - before"
    assert sandbox.execute(code).of("execute_result")[0]["data"]["text/plain"] == "set()"


def test_whole_messages_go_through_an_event_loop(sandbox: Sandbox) -> None:
    async def ask() -> list[dict[str, Any]]:
        content = {"code": "x = input('name? ')\nx", "allow_stdin": True}
        answers = []
        async for message in sandbox.request(sandbox.message("execute_request", content)):
            answers.append(message)
            if message["header"]["msg_type"] == "input_request":
                assert message["content"] == {"prompt": "name? ", "password": False}
                sandbox.input_reply("Ada")
        return answers

    answers = asyncio.run(ask())
    types = [message["header"]["msg_type"] for message in answers]
    assert sorted(types) == sorted(
        ["status", "execute_input", "input_request", "execute_result", "execute_reply", "status"]
    )
    assert len({message["header"]["msg_id"] for message in answers}) == len(answers)
    assert len({message["parent_header"]["msg_id"] for message in answers}) == 1


def interrupted(sandbox: Sandbox, code: str) -> Result:
    """Run a cell, and interrupt it as soon as it prints."""
    results = []
    started = threading.Event()

    def hear(message: dict[str, Any]) -> None:
        results.append(message)
        if message["header"]["msg_type"] == "stream":
            started.set()

    done = threading.Event()
    request = sandbox.message("execute_request", {"code": f"print('started')\n{code}"})
    sandbox.send(request, lambda message: (hear(message), message["channel"] == "shell" and done.set()))
    assert started.wait(HANG_S)
    sandbox.interrupt()
    assert done.wait(HANG_S)
    return Result(next(message for message in results if message["channel"] == "shell"), results)


@pytest.mark.parametrize(
    "code", ["while True: pass", "import time; time.sleep(600)", "import asyncio; await asyncio.sleep(600)"]
)
def test_an_interrupt_ends_a_cell_and_keeps_its_variables(sandbox: Sandbox, code: str) -> None:
    sandbox.execute("kept = 1")
    assert interrupted(sandbox, code).content["ename"] == "KeyboardInterrupt"
    assert sandbox.execute("kept").content["status"] == "ok"


def test_a_cell_ends_at_its_limit() -> None:
    with Sandbox(limits=Limits(cell_s=3)) as sandbox:
        sandbox.execute("kept = 1")
        assert sandbox.execute("while True: pass").content["ename"] == "CellTimeoutError"
        kept = sandbox.execute("kept").content
        assert kept["status"] == "ok", kept
        stubborn = "while True:\n  try:\n    while True: pass\n  except BaseException: pass"
        assert sandbox.execute(stubborn).content["ename"] == "CellTimeoutError"
        assert sandbox.execute("1").content["status"] == "ok"


def test_the_time_of_a_request_begins_when_python_is_there() -> None:
    """The time for this has a limit of its own."""
    answered = threading.Event()
    with Sandbox(limits=Limits(cell_s=HANG_S)) as sandbox:
        request = sandbox.message("kernel_info_request", {})
        sandbox.send(request, lambda message: answered.set() if message["channel"] == "shell" else None)
        (entry,) = sandbox._pending._open.values()
        assert entry.deadline is None
        sandbox.wait_ready(HANG_S)
        assert entry.deadline is not None and answered.wait(HANG_S)


def test_a_cell_that_writes_too_much_ends() -> None:
    with Sandbox(limits=Limits(output_bytes=MEGABYTE)) as sandbox:
        result = sandbox.execute("kept = 1\nwhile True: print('x' * 100)")
        assert result.content["ename"] == "OutputLimitError"
        assert [content["ename"] for content in result.of("error")] == ["OutputLimitError"]
        assert len(result.text()) < MEGABYTE
        kept = sandbox.execute("kept").content
        assert kept["status"] == "ok", kept


@pytest.mark.parametrize("then", ["pass", "raise ValueError"])
def test_a_cell_that_catches_the_end_of_its_output_is_told_all_the_same(then: str) -> None:
    with Sandbox(limits=Limits(output_bytes=MEGABYTE)) as sandbox:
        result = sandbox.execute(f"try:\n  while True: print('x' * 100)\nexcept BaseException: {then}")
        assert result.content["status"] == "error" and result.content["ename"] == "OutputLimitError"
        assert result.of("error")[-1]["ename"] == "OutputLimitError"
        assert sandbox.execute("1").content["status"] == "ok"


def test_memory_has_a_limit_that_python_sees() -> None:
    with Sandbox(limits=Limits(memory_bytes=256 * MEGABYTE)) as sandbox:
        assert sandbox.execute("x = bytearray(500_000_000)").content["ename"] == "MemoryError"
        assert sandbox.execute("1").content["status"] == "ok"


def test_a_process_that_dies_answers_whatever_is_open(sandbox: Sandbox) -> None:
    reasons: queue.SimpleQueue[str] = queue.SimpleQueue()
    with Sandbox(on_exit=reasons.put) as mine:
        mine.wait_ready()
        threading.Timer(0.2, lambda: os.kill(mine.pid or 0, signal.SIGKILL)).start()
        result = mine.execute("while True: pass")
        assert result.content["ename"] == "KernelDied"
        assert result.messages[-1]["content"] == {"execution_state": "idle"}
        assert mine.execute("1").content["ename"] == "KernelDied"
        assert "status -9" in reasons.get(timeout=HANG_S)
    assert reasons.empty()
    assert sandbox.execute("1").content["status"] == "ok", "others go on"


def open_files(pid: int) -> set[str]:
    """The files, without pipes and devices, that a process has open for writing."""
    found = set()
    for entry in Path(f"/proc/{pid}/fdinfo").iterdir():
        flags = int(re.search(r"flags:\s*(\d+)", entry.read_text())[1], 8)  # type: ignore[index]
        name = os.readlink(f"/proc/{pid}/fd/{entry.name}")
        if flags & (os.O_WRONLY | os.O_RDWR) and name.startswith("/") and not name.startswith("/dev/"):
            found.add(name)
    return found


def test_a_sandbox_writes_nothing_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even Deno's cache of TypeScript, for which Deno needs no permission."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = "'data:application/typescript,' + encodeURIComponent(`export const a: string = '${'x'.repeat(9e4)}';`)"
    with Sandbox() as sandbox:
        ran = sandbox.execute(f"from pyodide.code import run_js\n(await run_js({f'import({code})'!r})).a[:2]")
        assert ran.of("execute_result")[0]["data"]["text/plain"] == "'xx'", ran.content
        assert sandbox.pid is not None
        assert not open_files(sandbox.pid)
        assert os.readlink(f"/proc/{sandbox.pid}/cwd") == "/"
        assert "DENO_DIR=/dev/null/none" in Path(f"/proc/{sandbox.pid}/environ").read_text()
    assert list(tmp_path.iterdir()) == []


def test_killing_twice_does_no_harm() -> None:
    sandbox = Sandbox().start()
    sandbox.kill()
    sandbox.kill()
    assert not sandbox.is_alive
    with pytest.raises(SandboxError, match="was ended"):
        sandbox.wait_ready()


def test_a_missing_deno_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "deno", None)
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SandboxError, match=r"pip install .*\[server\]"):
        Sandbox().start()


def test_a_broken_runtime_is_told(tmp_path: Path) -> None:
    with Sandbox(pyodide=tmp_path) as sandbox, pytest.raises(SandboxError, match="Python did not start"):
        sandbox.wait_ready()


@pytest.mark.release
def test_an_older_pyodide_runs_in_the_sandbox(full_pyodide: Path) -> None:
    with Sandbox(pyodide=full_pyodide) as sandbox:
        result = sandbox.execute("import sys, numpy\nprint(sys.version_info[:2], numpy.arange(3).sum())")
        assert result.text() == "(3, 12) 3\n", result.content
