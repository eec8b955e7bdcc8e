"""Finds the tasks, solutions and tests among a source's cells: by our own markers, or those of nbgrader or otter."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import Any

from .markers import student_code, without_hidden
from .otter import OtterBlocks, is_otter, otter_test
from .source import Problems, SourceCell

__all__ = ["Plan", "Test", "plan_of"]

_TEST = re.compile(
    r"#+\s*(?P<hidden>HIDDEN )?TEST:?\s+(?P<name>.*?)(?:\s*[(\[](?P<points>[0-9.]+)\s*points?[)\]])?\s*", re.IGNORECASE
)
#: Matches the line that makes a cell a test, without its line end, so that all lines keep their numbers.
_HEAD = re.compile(r"^[ \t]*#+[ \t]*(HIDDEN )?TEST\b.*$", re.IGNORECASE | re.MULTILINE)
_AUTOTEST = re.compile(r"^\s*#+\s*(HASHED )?AUTOTEST\b", re.MULTILINE)
#: Fields of nbgrader's metadata that are read. Versions 1 and 2 differ only in other fields.
_NBGRADER = (1, 2, 3)


@dataclass
class Test:
    """A test, which becomes a check of the rubrics.

    Attributes
    ----------
    shown
        Its code in the published rubric; empty for a hidden test.
    whole
        Its code for grading.
    expected
        Text that the code must show, compared like in otter. None if it reports only by exceptions.
    """

    name: str
    cell: SourceCell
    shown: str
    whole: str
    points: float | None = None
    group: str | None = None
    expected: str | None = None


@dataclass
class Plan:
    """The result of reading a source: cells as (kind, text), tests, and notes for the teacher."""

    student: list[tuple[str, str]] = field(default_factory=list)
    reference: list[tuple[str, str]] = field(default_factory=list)
    #: Code that students and the reference share. Tests have its imports too.
    given: list[SourceCell] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
    #: Things that were not carried over, or must be graded by hand.
    notes: list[str] = field(default_factory=list)

    def add(self, cell: SourceCell, student: str | None = None) -> None:
        """Add a cell to both notebooks. `student` is its text for students, if that differs."""
        self.reference.append((cell.kind, cell.source))
        if student is None:
            self.student.append((cell.kind, cell.source))
            if cell.kind == "code":
                self.given.append(cell)
        elif student or cell.kind != "code":
            self.student.append((cell.kind, student))
        else:
            self.student.append((cell.kind, "# Write your code here."))


def plan_of(cells: list[SourceCell]) -> Plan:
    """Sort the cells of a source.

    Raises
    ------
    AuthoringError
        Names all broken markers, each with file, cell and line.
    """
    problems = Problems()
    plan = Plan()
    if is_otter(cells):
        _otter(cells, plan, problems)
    else:
        for cell in cells:
            _cell(cell, plan, problems)
    _names(plan, problems)
    problems.check()
    plan.notes += [
        f"{test.cell.at()}: {test.name!r} deletes {name!r}: a rubric works on a copy of the student's names, so functions still find it"
        for test in plan.tests
        for name in _deleted(test.whole)
    ]
    return plan


def _deleted(code: str) -> list[str]:
    try:
        nodes = list(ast.walk(ast.parse(code)))
    except SyntaxError:  # reported when the rubric is written
        return []
    targets = [target for node in nodes if isinstance(node, ast.Delete) for target in node.targets]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _cell(cell: SourceCell, plan: Plan, problems: Problems) -> None:
    marks = cell.metadata.get("nbgrader")
    if isinstance(marks, dict) and (marks.get("grade") or marks.get("solution") or marks.get("task")):
        _nbgrader(cell, marks, plan, problems)
        return
    first = next((line for line in cell.lines if line.strip()), "")
    test = _TEST.fullmatch(first.strip()) if cell.kind == "code" else None
    if test:
        if not test["name"]:
            problems.add(
                cell,
                cell.lines.index(first) + 1,
                "a test needs a name, which students see: `# TEST sorts words (2 points)`",
            )
        _add_test(
            plan, problems, cell, test["name"], _number(test["points"], cell, problems), hidden=bool(test["hidden"])
        )
    elif cell.kind == "code":
        code = student_code(cell, problems)
        plan.add(cell, None if code == cell.source.strip("\n") else code)
    elif cell.kind == "markdown":
        plan.add(cell)


def _number(text: str | None, cell: SourceCell, problems: Problems) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        problems.add(cell, 1, f"{text!r} is not a number of points: write such as (2 points) or (0.5 points)")
        return None


def _add_test(
    plan: Plan,
    problems: Problems,
    cell: SourceCell,
    name: str,
    points: float | None,
    *,
    hidden: bool = False,
) -> None:
    shown, whole = (re.sub(_HEAD, "", text, count=1) for text in without_hidden(cell, problems))
    if not _is_code(whole):
        problems.add(cell, 1, f"the test {name!r} has no code")
    plan.tests.append(Test(name, cell, "" if hidden or not _is_code(shown) else shown, whole, points))


def _is_code(text: str) -> bool:
    return any(line.strip() and not line.strip().startswith("#") for line in text.splitlines())


def _nbgrader(cell: SourceCell, marks: dict[str, Any], plan: Plan, problems: Problems) -> None:
    """A cell with nbgrader's metadata. With only grade it is a test, with only solution a task; with both it is graded by hand."""
    if marks.get("schema_version", 1) not in _NBGRADER:
        problems.add(
            cell, 1, f"its metadata have nbgrader's version {marks['schema_version']!r}; versions 1 to 3 are known"
        )
    name = str(marks.get("grade_id") or "")
    if not name:
        problems.add(cell, 1, "nbgrader's metadata have no grade_id: give the cell one in its toolbar")
    points = marks.get("points")
    if marks.get("grade") and (isinstance(points, bool) or not isinstance(points, (int, float)) or points < 0):
        problems.add(cell, 1, f"its points are {points!r}, and not a number from 0 on")
        points = 0
    if marks.get("task") or (marks.get("grade") and marks.get("solution")):
        plan.notes.append(
            f"{cell.at()}: {name!r} is graded by hand ({points} points): students get it, no check does it"
        )
        plan.add(cell, _nbgrader_task(cell, problems))
    elif marks.get("grade"):
        if cell.kind != "code":
            problems.add(cell, 1, f"{name!r} is a test of kind {cell.kind}: tests are code cells")
        if _AUTOTEST.search(cell.source):
            plan.notes.append(
                f"{cell.at()}: {name!r} has AUTOTEST lines ({points} points), which nbgrader computes: write them as asserts"
            )
            if not _is_code(without_hidden(cell, problems)[1]):
                return
        _add_test(plan, problems, cell, name, points)
    else:
        plan.add(cell, _nbgrader_task(cell, problems))


def _nbgrader_task(cell: SourceCell, problems: Problems) -> str:
    """The code of a solution cell for students. Without a marked region, nbgrader replaces all of it."""
    code = student_code(cell, problems)
    if code != cell.source.strip("\n") or cell.metadata["nbgrader"].get("task"):
        return (
            code
            if cell.kind == "code"
            else code.replace("# YOUR CODE HERE\nraise NotImplementedError()", "YOUR ANSWER HERE")
        )
    return "# YOUR CODE HERE\nraise NotImplementedError()" if cell.kind == "code" else "YOUR ANSWER HERE"


def _otter(cells: list[SourceCell], plan: Plan, problems: Problems) -> None:
    blocks = OtterBlocks(problems)
    for cell, role, question in blocks.roles(cells):
        if role == "test":
            test = otter_test(cell, problems)
            hidden = "" if test.hidden else test.code
            number = 1 + sum(each.group == question.name for each in plan.tests)
            plan.tests.append(
                Test(f"{question.name} - {number}", cell, hidden, test.code, test.points, question.name, test.expected)
            )
        elif role == "prompt":
            plan.student.append((cell.kind, cell.source))
        elif role == "solution" and cell.kind != "code":
            plan.reference.append((cell.kind, cell.source))
            if not question.prompted:
                plan.student.append((cell.kind, "_Type your answer here, replacing this text._"))
        elif role == "solution" and question.prompted:
            plan.reference.append((cell.kind, cell.source))
        elif cell.kind == "code":
            code = student_code(cell, problems)
            plan.add(cell, None if code == cell.source.strip("\n") else code)
        else:
            plan.add(cell)
    for question in blocks.questions:
        question.share_points([each for each in plan.tests if each.group == question.name], problems)
    plan.notes += blocks.notes


def _names(plan: Plan, problems: Problems) -> None:
    """Make the names unique, since they distinguish results."""
    seen: dict[str, SourceCell] = {}
    for test in plan.tests:
        if test.name in seen:
            problems.add(
                test.cell, 1, f"another test is called {test.name!r} already, in cell {seen[test.name].number}"
            )
        seen[test.name] = test.cell
