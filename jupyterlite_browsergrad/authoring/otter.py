"""Reads source notebooks of otter's ``assign``, format 1: raw cells begin and end blocks, and hold settings in YAML."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from .source import Problems, SourceCell

__all__ = ["OtterBlocks", "OtterTest", "Question", "is_otter", "is_points", "otter_test", "unfenced", "without_ignored"]

#: Matches a Markdown cell in the form that otter reads as a raw cell.
_FENCED = re.compile(r"\s*```otter[ \t]*\n(?P<inside>.*?)\n?```\s*", re.DOTALL)
_BLOCK = re.compile(r"#\s*(BEGIN|END)\s+(QUESTION|SOLUTION|PROMPT|TESTS)\s*", re.IGNORECASE)
_CONFIG = re.compile(r"#\s*ASSIGNMENT CONFIG\s*", re.IGNORECASE)
_IGNORE = re.compile(r"(##\s*ignore\s*##|#\s*ignore\s*$)", re.IGNORECASE)
_BEGIN_IGNORED = re.compile(r"\s*#\s*BEGIN\s*IGNORE\s*", re.IGNORECASE)
_BEGIN_SETTINGS = re.compile(r"(?:\w+\s*=\s*)?[\"']{3}\s*#\s*BEGIN\s*TEST\s*CONFIG\s*", re.IGNORECASE)
_END_SETTINGS = re.compile(r"[\"']{3}\s*#\s*END\s*TEST\s*CONFIG\s*", re.IGNORECASE)
_HIDDEN = re.compile(r"#.*\bhidden\b", re.IGNORECASE)
#: Settings of a question that are used.
_FOLLOWED = {"name", "points", "manual", "all_or_nothing"}


_POINTS = "write a number from 0 on, such as `points: 2`"


def is_points(value: object) -> bool:
    """Whether a value can be the points of a test or question."""
    return (
        not isinstance(value, bool) and isinstance(value, (int, float)) and math.isfinite(value) and 0 <= value <= 1e9
    )


class _Worth(Protocol):
    points: float | None


@dataclass
class Question:
    """A question block."""

    name: str
    points: Any = None
    #: Whether students get a prompt instead of the solution.
    prompted: bool = False
    cell: SourceCell | None = None
    #: Whether a person grades it.
    manual: bool = False
    #: Whether it only gives points if all of its tests pass.
    all_or_nothing: bool = False

    def own_points(self, problems: Problems) -> float:
        """The points of a question without tests: one point, unless its settings say otherwise."""
        points = 1 if self.points is None else self.points
        if not is_points(points):
            if self.cell is not None:
                problems.add(self.cell, 1, f"the points of {self.name!r} are {points!r}, and not numbers: {_POINTS}")
            return 0
        assert isinstance(points, (int, float))
        return points

    def share_points(self, tests: list[Any], problems: Problems) -> None:
        """Give each test its points by otter's rules: tests without points of their own share the points of their question."""
        if not tests or self.cell is None:
            return
        total = self.points
        several = total if isinstance(total, list) else [total.get("each", 1) if isinstance(total, dict) else total]
        if not all(each is None or is_points(each) for each in several):
            problems.add(self.cell, 1, f"the points of {self.name!r} are {total!r}, and not numbers: {_POINTS}")
            return
        if isinstance(total, dict):
            total = total.get("each", 1) * len(tests)
        if isinstance(total, list):
            if len(total) != len(tests):
                problems.add(
                    self.cell,
                    1,
                    f"the question {self.name!r} has {len(total)} points for {len(tests)} tests: give each test its points",
                )
                return
            for test, points in zip(tests, total, strict=True):
                test.points = points
            total = None
        given = sum(test.points for test in tests if test.points is not None)
        open_ones = [test for test in tests if test.points is None]
        if total is None:
            total = given or 1
        if given > total:
            problems.add(
                self.cell,
                1,
                f"the tests of {self.name!r} are worth {given} points, more than the question's {total}: change one of them",
            )
        for test in open_ones:
            test.points = (total - given) / len(open_ones)


@dataclass
class OtterTest:
    """A test cell."""

    code: str
    hidden: bool
    points: float | None
    expected: str | None
    success_message: str | None = None
    failure_message: str | None = None


def unfenced(cells: list[SourceCell]) -> list[SourceCell]:
    """The cells of a source, with raw cells in place of Markdown cells that have nothing but a block of code in the language ``otter``."""
    return [
        replace(cell, kind="raw", source=found["inside"], line=cell.line + 1)
        if cell.kind == "markdown" and (found := _FENCED.fullmatch(cell.source))
        else cell
        for cell in cells
    ]


def without_ignored(cell: SourceCell) -> SourceCell:
    """A cell without the lines that end in ``# IGNORE`` or are between ``# BEGIN IGNORE`` and ``# END IGNORE``. Nobody gets those."""
    kept = []
    inside = False
    for line in cell.lines:
        ends = line.rstrip().endswith("# END IGNORE")
        inside = inside or bool(_BEGIN_IGNORED.match(line))
        if not (inside or ends or line.rstrip().endswith("# IGNORE")):
            kept.append(line)
        inside = inside and not ends
    return replace(cell, source="\n".join(kept))


def is_otter(cells: list[SourceCell]) -> bool:
    """Whether any raw cell begins one of otter's blocks or has otter's settings."""
    return any(
        cell.kind == "raw" and cell.lines and (_BLOCK.fullmatch(cell.lines[0]) or _CONFIG.fullmatch(cell.lines[0]))
        for cell in cells
    )


@dataclass
class OtterBlocks:
    """Goes through the cells and keeps track of the open blocks."""

    problems: Problems
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _open: list[tuple[str, SourceCell]] = field(default_factory=list)

    def roles(self, cells: list[SourceCell]) -> Iterator[tuple[SourceCell, str, Question]]:
        """Return each cell that is not a marker, with its role (``text``, ``solution``, ``prompt`` or ``test``) and its question."""
        prompted = {id(begin) for begin in _prompted(cells)}
        for cell in cells:
            first = cell.lines[0].strip() if cell.lines else ""
            marker = _BLOCK.fullmatch(first) if cell.kind == "raw" else None
            if marker:
                self._marker(cell, marker[1].upper(), marker[2].upper(), prompted)
            elif cell.kind == "raw" and _CONFIG.fullmatch(first):
                for name in settings(cell, self.problems):
                    self.notes.append(f"{cell.at()}: otter's setting {name!r} of the assignment is not followed")
            elif _IGNORE.match(first):
                continue
            elif cell.kind != "raw":
                inner = self._open[-1][0] if self._open else ""
                role = {"SOLUTION": "solution", "PROMPT": "prompt", "TESTS": "test"}.get(inner, "text")
                if role == "test" and cell.kind != "code":
                    self.problems.add(cell, 1, "a test is a code cell; texts belong before # BEGIN TESTS")
                    continue
                yield cell, role, self.questions[-1] if self.questions else Question("")
        for what, begin in self._open:
            self.problems.add(begin, 1, f"BEGIN {what} without END {what}: add a raw cell `# END {what}`")

    def _marker(self, cell: SourceCell, side: str, what: str, prompted: set[int]) -> None:
        names = [name for name, _ in self._open]
        if side == "END":
            if not names or names[-1] != what:
                mend = f": {names[-1]} is open, so end that first" if names else ": remove it, or add its beginning"
                self.problems.add(cell, 1, f"END {what} without BEGIN {what}{mend}")
            else:
                self._open.pop()
            return
        if (what == "QUESTION") != (not names) or len(names) > 1:
            inside = (
                f"inside of {names[-1]}: end that first" if names else "outside of a question: begin the question first"
            )
            self.problems.add(cell, 1, f"BEGIN {what} {inside}")
        self._open.append((what, cell))
        if what == "QUESTION":
            found = settings(cell, self.problems)
            name = found.get("name")
            if not isinstance(name, str) or not name:
                self.problems.add(cell, 1, "a question needs a name: a line such as `name: q1`")
                name = f"question {len(self.questions) + 1}"
            self.questions.append(
                Question(
                    name,
                    found.get("points"),
                    id(cell) in prompted,
                    cell,
                    bool(found.get("manual")),
                    bool(found.get("all_or_nothing")),
                )
            )
            for other in sorted(found.keys() - _FOLLOWED):
                self.notes.append(f"{cell.at()}: otter's setting {other!r} of {name!r} is not followed")


def _prompted(cells: list[SourceCell]) -> Iterator[SourceCell]:
    """The cells that begin a question with a prompt."""
    begin = None
    for cell in cells:
        marker = _BLOCK.fullmatch(cell.lines[0].strip()) if cell.kind == "raw" and cell.lines else None
        if marker and marker[1].upper() == "BEGIN":
            if marker[2].upper() == "QUESTION":
                begin = cell
            elif marker[2].upper() == "PROMPT" and begin is not None:
                yield begin


def settings(cell: SourceCell, problems: Problems, lines: list[str] | None = None) -> dict[str, Any]:
    """Read settings in YAML: below a cell's first line, or in `lines` if given."""
    import yaml

    text = "\n".join(cell.lines[1:] if lines is None else lines)
    try:
        found = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problems.add(
            cell,
            2 + (mark.line if mark else 0),
            f"its settings are not YAML: {getattr(error, 'problem', error)}: write lines such as `name: q1`",
        )
        return {}
    if not isinstance(found, dict):
        problems.add(cell, 2, "its settings are not YAML of the form `name: value`")
        return {}
    return {str(key): value for key, value in found.items()}


def otter_test(cell: SourceCell, problems: Problems) -> OtterTest:
    """Read a test cell. A comment or its settings say whether it is hidden. Its saved output is the expected output."""
    lines = cell.lines
    first = lines[0].strip() if lines else ""
    found: dict[str, Any] = {}
    start = 0
    if _BEGIN_SETTINGS.fullmatch(first):
        end = next((index for index, line in enumerate(lines) if _END_SETTINGS.fullmatch(line.strip())), None)
        if end is None:
            problems.add(cell, 1, 'BEGIN TEST CONFIG without END TEST CONFIG: add `""" # END TEST CONFIG`')
            end = len(lines) - 1
        found, start = settings(cell, problems, lines[1:end]), end + 1
    hidden = bool(found.get("hidden", _HIDDEN.match(first)))
    points = found.get("points")
    if points is not None and not is_points(points):
        problems.add(cell, 1, f"its points are {points!r}, and not a number: {_POINTS}")
        points = None
    code = "\n".join([""] * start + lines[start:])
    said = [str(found[name]) if found.get(name) else None for name in ("success_message", "failure_message")]
    return OtterTest(code, hidden, points, cell.shown if _shows(code) else None, *said)


def _shows(code: str) -> bool:
    """Whether a test shows a value: its last statement is an expression."""
    try:
        body = ast.parse(code).body
    except SyntaxError:
        return False
    return bool(body) and isinstance(body[-1], ast.Expr)
