"""Programs that call themselves too deeply, and what must become of each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROGRAMS: list[dict[str, Any]] = json.loads((HERE / "programs.json").read_text(encoding="utf-8"))


def problem(program: dict[str, Any], ename: str | None, result: str | None, after: str | None) -> str | None:
    """Say what is wrong with how a program ended; None when nothing is.

    Parameters
    ----------
    program
        An entry of the table; ``ends`` is "value", or the name of the error where that is not RecursionError.
    ename, result
        Name of the cell's error, and text of its result.
    after
        What the next cell computed from a variable that was there before: 6.
    """
    ends = program.get("ends", "RecursionError")
    if after != "6":
        return f"{program['name']}: the next cell gave {after}"
    if ends == "value":
        return None if ename is None and result else f"{program['name']}: {ename}, no value"
    return None if ename == ends else f"{program['name']}: {ename}, result {result}"
