"""`jupyter console`: a terminal, which prints displays and does not follow their updates."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

pytestmark = pytest.mark.hosts

CHECKS = "import browsergrad as bg; bg.assert_pass('one'); bg.assert_fail('two', 'no')\n"


@pytest.fixture
def console(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "jupyter_console", "--kernel=browsergrad", "--simple-prompt"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        yield process
        process.kill()


def read_until(stream: IO[str], wanted: str) -> str:
    """Read a terminal's output up to the first line that contains a text."""
    said = ""
    for line in stream:
        said += line
        if wanted in line:
            return said
    pytest.fail(f"{wanted!r} is missing in:\n{said}")


def test_cells_assertions_and_the_interrupt_key(console: subprocess.Popen[str]) -> None:
    assert console.stdin is not None and console.stdout is not None

    def enter(code: str, wanted: str) -> str:
        console.stdin.write(code)
        console.stdin.flush()
        return read_until(console.stdout, wanted)

    said = enter(CHECKS, "pass one")
    assert "1 passed, 1 failed, 0 errors\nFAIL two: no\npass one\n" in said
    enter("kept = 6 * 7; kept\n", "Out[2]: 42")
    enter("print('begins')\nwhile True: print('turns')\n", "turns")
    console.send_signal(signal.SIGINT)
    read_until(console.stdout, "KeyboardInterrupt")
    enter("kept + 1\n", ": 43")
    enter("exit\n", "Shutting down kernel")
    assert console.wait() == 0
