"""The installed module, checked by mypy's strict mode."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import browsergrad as bg

CONSUMER = '''"""A teacher's code: the lines marked E are wrong."""

from pathlib import Path
from typing import Any, assert_type

import browsergrad as bg

bg.assert_pass("adds")
bg.assert_pass("adds", duration_ms=1.5)
bg.assert_pass(1)  # E
bg.assert_pass("adds", "fast")  # E
bg.assert_fail("zero", "wrong sign", expected=0, actual=None, duration_ms=2)
bg.assert_fail("zero")  # E
bg.assert_fail("zero", b"wrong sign")  # E
bg.assert_error("breaks", "it broke", exc=ValueError("x"))
bg.assert_error("breaks", "it broke", exc="x")  # E
bg.log("timing", {"seconds": 0.2}, level="warn")
bg.log("timing", 1, level="fatal")  # E
bg.emit_json("result", {"score": [1, None]})
bg.emit_json({"score": 1})  # E
bg.emit_image("dot", "image/png", "iVBORw0KGgo=")
bg.emit_image("dot", "image/png", b"iVBORw0KGgo=")  # E
assert_type(bg.results(), list[dict[str, Any]])
assert_type(bg.dataset("lighthouse"), Path)
assert_type(bg.__version__, str)
bg.dataset(1)  # E
assert_type(bg.lab.id, str)
bg.lab.nothing  # E
with bg.check("sorts") as checking:
    assert_type(checking.name, str)
bg.check(1)  # E
bg.check("sorts", feedback_pass="yes", feedback_fail=1)  # E


@bg.check("doubles")
def double(number: int) -> int:
    return 2 * number


assert_type(double(2), int | None)
double("2")  # E


@bg.in_place
def count() -> int:
    return 2


assert_type(count(), int)
bg.in_place(1)  # E


@bg.check("waits")
async def wait(seconds: float) -> None: ...


try:
    bg.dataset("none")
except bg.LabError as error:
    assert_type(str(error), str)
'''


def test_every_function_is_typed(tmp_path: Path) -> None:
    consumer = tmp_path / "consumer.py"
    consumer.write_text(CONSUMER, "utf-8")
    options = ["--strict", "--config-file=", f"--cache-dir={tmp_path / 'cache'}", "--no-error-summary"]
    command = [sys.executable, "-m", "mypy", *options, consumer.name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    found = {int(number) for number in re.findall(r"^consumer\.py:(\d+): error", done.stdout, re.MULTILINE)}
    wrong = {number for number, line in enumerate(CONSUMER.splitlines(), 1) if line.endswith("# E")}
    assert found == wrong, done.stdout
    assert all(f"bg.{name}" in CONSUMER for name in bg.__all__), "nothing public is left out"
