"""Programs that call themselves too deeply, and how each must end."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROGRAMS: list[dict[str, Any]] = json.loads((HERE / "programs.json").read_text(encoding="utf-8"))


def short(programs: Iterable[dict[str, Any]] = PROGRAMS) -> list[dict[str, Any]]:
    """Return at most ten programs of different kinds."""
    return [program for program in programs if program.get("short")]


def on_3_12(programs: Iterable[dict[str, Any]] = PROGRAMS) -> list[dict[str, Any]]:
    """Return the programs with their ends on CPython 3.12. Its parser has errors of its own, and one program never ends there."""
    return [
        program | {"ends": program.get("ends312", program.get("ends", "RecursionError"))}
        for program in programs
        if not program.get("endless312")
    ]


def on_one_stack(programs: Iterable[dict[str, Any]] = PROGRAMS) -> list[dict[str, Any]]:
    """Return the programs with their ends in an engine without further stacks.

    There the deepest may end in RecursionError too, and nested sources are refused before CPython parses them.
    """

    def ends(program: dict[str, Any]) -> dict[str, str]:
        if program.get("deep"):
            return {"ends": "either"}
        refused = {"SyntaxError": "SyntaxError", "MemoryError": "RecursionError"}.get(program.get("ends312", ""))
        return {"ends": refused} if refused else {}

    return [program | ends(program) for program in programs]


def problem(program: dict[str, Any], ename: str | None, result: str | None, after: str | None) -> str | None:
    """Return what is wrong with how a program ended; None if nothing is wrong.

    Parameters
    ----------
    program
        An entry of the table; ``ends`` is "value", "either", or the name of the error where that is not RecursionError.
    ename, result
        Name of the cell's error, and text of its result.
    after
        What the next cell computed from a variable that was there before: 6.
    """
    ends = program.get("ends", "RecursionError")
    if after != "6":
        return f"{program['name']}: the next cell gave {after}"
    if ends == "either":
        ends = "value" if ename is None else "RecursionError"
    if ends == "value":
        return None if ename is None and result else f"{program['name']}: {ename}, no value"
    return None if ename == ends else f"{program['name']}: {ename}, result {result}"


def problems_in(lab: Any, programs: Iterable[dict[str, Any]]) -> list[str]:
    """Run programs in a page's kernel, one after another. Return what is wrong with how they ended."""
    lab.run("kept = [1, 2, 3]")
    found = []
    for program in programs:
        run, after = lab.run(program["code"]), lab.run("sum(kept)")
        errors = run.of("error")
        ename = errors[0]["ename"] if errors else None
        result = run.result if run.of("execute_result") else None
        kept = after.result if after.of("execute_result") else None
        found.append(problem(program, ename, result, kept))
        if kept is None:
            lab.run("kept = [1, 2, 3]")
    return [text for text in found if text]
