"""Finds the tasks, solutions and tests among a source's cells, by our own markers or those of nbgrader or otter."""

from __future__ import annotations

import ast
import contextlib
import math
import re
from dataclasses import replace
from typing import Any

from browsergrad.hosting import plain

from .markers import student_code, without_hidden
from .otter import OtterBlocks, Question, is_otter, is_points, otter_test, unfenced, without_ignored
from .plan import ByHand, Piece, Plan, Test
from .rubrics import asserting, test_code
from .source import Problems, SourceCell

__all__ = ["plan_of"]

_TEST = re.compile(
    r"#+\s*(?P<hidden>HIDDEN )?TEST:?\s+(?P<name>.*?)(?:\s*[(\[](?P<points>[0-9.]+)\s*points?[)\]])?\s*", re.IGNORECASE
)
#: Matches the line that makes a cell a test. The line end is not part of it: removing the match keeps the numbers of all lines.
_HEAD = re.compile(r"^[ \t]*#+[ \t]*(HIDDEN )?TEST\b.*$", re.IGNORECASE | re.MULTILINE)
#: Matches the line that makes a cell a question for a person to grade: a comment in code, an HTML comment in Markdown.
_MANUAL = re.compile(
    r"(?:#+|<!--)\s*MANUAL:?\s+(?P<name>.*?)(?:\s*[(\[](?P<points>[0-9.]+)\s*points?[)\]])?\s*(?:-->)?\s*",
    re.IGNORECASE,
)
_SAID = re.compile(r"#+\s*(PASS|FAIL):\s*(.+)")
#: Matches a marker in a Markdown cell that contains a solution. Other headings are not markers.
_SOLVED = re.compile(r"^\s*#+\s*(BEGIN|END) (SOLUTION|MARK SCHEME)", re.MULTILINE)
_AUTOTEST = re.compile(r"\s*#+\s*(?:HASHED )?AUTOTEST\b\s*(?P<values>.*)")
#: Fields of nbgrader's metadata that are read. Versions 1 and 2 differ only in other fields.
_NBGRADER = (1, 2, 3)


def plan_of(cells: list[SourceCell]) -> Plan:
    """Sort the cells of a source.

    Raises
    ------
    AuthoringError
        Names all broken markers, each with file, cell and line.
    """
    problems = Problems()
    plan = Plan()
    if is_otter(unfenced(cells)):
        _otter(unfenced(cells), plan, problems)
    else:
        for cell in cells:
            _cell(cell, plan, problems)
    _names(plan, problems)
    problems.check()
    return plan


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
    elif manual := _MANUAL.fullmatch(first.strip()):
        _own_manual(cell, first, manual, plan, problems)
    elif cell.kind == "code":
        code = student_code(cell, problems)
        plan.add(cell, None if code == cell.source.strip("\n") else code)
    elif cell.kind == "markdown" and _SOLVED.search(cell.source):
        plan.add(cell, _as_text(student_code(cell, problems)))
    elif cell.kind == "markdown":
        plan.add(cell)


def _own_manual(cell: SourceCell, first: str, manual: re.Match[str], plan: Plan, problems: Problems) -> None:
    """Add a cell that begins with ``# MANUAL name (2 points)``. In Markdown, this is an HTML comment."""
    if not manual["name"]:
        problems.add(cell, 1, "a question needs a name: `# MANUAL why it works (2 points)`")
    points = _number(manual["points"], cell, problems)
    question = ByHand(manual["name"], cell, 1 if points is None else points)
    plan.manual.append(question)
    body = replace(cell, source=cell.source.replace(first, "", 1).strip("\n"))
    code = student_code(replace(cell, source=cell.source.replace(first, "", 1)), problems)
    if cell.kind != "code":
        code = _as_text(code)
    plan.add(body, None if code == body.source else code, question)


def _as_text(code: str) -> str:
    """Replace the placeholder for code with the placeholder for text."""
    return code.replace("# YOUR CODE HERE\nraise NotImplementedError()", "YOUR ANSWER HERE")


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
        problems.add(cell, 1, f"the test {name!r} has no code: write asserts below its name")
    said = _feedback(whole)
    test = Test(name, cell, "" if hidden or not _is_code(shown) else shown, whole, points, **said)
    plan.tests.append(test)
    _show(plan, test)


def _show(plan: Plan, test: Test) -> None:
    """Put a test into both notebooks, at the same place as in the source. If it is hidden, only its place is there."""
    shown, place = _test_cells(test)
    plan.student.append(shown)
    plan.reference.append(place)


def _test_cells(test: Test) -> tuple[Piece, Piece]:
    """A test's cell for students, whose text is empty if it is hidden, and its cell in the reference."""
    head, code = f"# TEST {test.name}", ""
    with contextlib.suppress(SyntaxError):  # reported when the rubric is written
        code = test_code(test)
    marks = {"test": test.name}
    return Piece("code", f"{head}\n{code}" if code else "", marks), Piece("code", f"{head}\n{code}".rstrip(), marks)


def _feedback(code: str) -> dict[str, str]:
    """Texts for the student, from comments before the first code: ``# PASS: Well done`` and ``# FAIL: Look at zero``."""
    said: dict[str, str] = {}
    for line in code.splitlines():
        found = _SAID.fullmatch(line.strip())
        if line.strip() and not line.strip().startswith("#"):
            break
        if found:
            said[f"feedback_{found[1].lower()}"] = found[2]
    return said


def _is_code(text: str) -> bool:
    return any(line.strip() and not line.strip().startswith("#") for line in text.splitlines())


def _nbgrader(cell: SourceCell, marks: dict[str, Any], plan: Plan, problems: Problems) -> None:
    """Add a cell with nbgrader's metadata: ``grade`` alone makes it a test, ``solution`` alone a task, and both a question to grade by hand."""
    if marks.get("schema_version", 1) not in _NBGRADER:
        problems.add(
            cell,
            1,
            f"its metadata have nbgrader's version {marks['schema_version']!r}; versions 1 to 3 are known: save it with nbgrader 0.9, or update this package",
        )
    name = str(marks.get("grade_id") or "")
    if not name:
        problems.add(cell, 1, "nbgrader's metadata have no grade_id: give the cell one in its toolbar")
    points = marks.get("points")
    if (marks.get("grade") or marks.get("task")) and (not is_points(points)):
        problems.add(cell, 1, f"its points are {points!r}, and not a number from 0 on: set them in the cell's toolbar")
        points = 0
    if marks.get("task") or (marks.get("grade") and marks.get("solution")):
        question = ByHand(name, cell, points or 0, bool(marks.get("task")))
        plan.manual.append(question)
        plan.add(cell, _nbgrader_task(cell, problems), question)
    elif marks.get("grade"):
        if cell.kind != "code":
            problems.add(cell, 1, f"{name!r} is a test of kind {cell.kind}: tests are code cells, so make it one")
        if (computed := _computed(cell)) and not _note_computed(
            cell, name, plain(points or 0), computed, plan, problems
        ):
            return
        _add_test(plan, problems, cell, name, points)
    else:
        plan.add(cell, _nbgrader_task(cell, problems))


def _computed(cell: SourceCell) -> list[tuple[int, str]]:
    """The lines from which nbgrader computes tests: number, and what is to be tested."""
    lines = ((number, _AUTOTEST.fullmatch(line)) for number, line in enumerate(cell.lines, 1))
    return [(number, found["values"].strip(" ;")) for number, found in lines if found]


def _note_computed(
    cell: SourceCell, name: str, points: float, computed: list[tuple[int, str]], plan: Plan, problems: Problems
) -> bool:
    """Note the lines that are not carried over. Returns whether the rest of the cell still tests something."""
    rest = _tests_something(without_hidden(cell, problems)[1])
    what = "only the rest of the cell gives" if rest else "it is left out, with"
    for number, values in computed:
        plan.notes.append(
            f"{cell.at(number)}: {name!r} has an AUTOTEST line, whose test nbgrader computes from the solution; {what} its {points} points: "
            f"write what the solution gives, such as `assert {values.partition(';')[0].strip() or 'f(1)'} == …`, in its place"
        )
    return rest


def _tests_something(code: str) -> bool:
    """Whether code can fail on purpose. Definitions alone would give the points to everybody."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # reported when the rubric is written
        return True
    return any(
        isinstance(node, (ast.Assert, ast.Raise))
        or (isinstance(node, ast.Call) and "assert" in ast.unparse(node.func).casefold())
        for node in ast.walk(tree)
    )


def _nbgrader_task(cell: SourceCell, problems: Problems) -> str:
    """The code of a solution cell for students. Without a marked region, nbgrader replaces all of it."""
    code = student_code(cell, problems)
    if code != cell.source.strip("\n") or cell.metadata["nbgrader"].get("task"):
        return code if cell.kind == "code" else _as_text(code)
    return "# YOUR CODE HERE\nraise NotImplementedError()" if cell.kind == "code" else "YOUR ANSWER HERE"


def _otter(cells: list[SourceCell], plan: Plan, problems: Problems) -> None:
    blocks = OtterBlocks(problems)
    manual: dict[int, ByHand] = {}
    for cell, role, question in blocks.roles(cells):
        by_hand = None
        if question.manual and role in ("solution", "prompt"):
            by_hand = manual.get(id(question))
            if by_hand is None:
                by_hand = manual[id(question)] = ByHand(question.name, cell, question.own_points(problems))
                plan.manual.append(by_hand)
        if role == "test":
            test = otter_test(cell, problems)
            hidden = "" if test.hidden else test.code
            number = 1 + sum(each.group == question.name for each in plan.tests)
            plan.tests.append(
                Test(
                    f"{question.name} - {number}",
                    cell,
                    hidden,
                    test.code,
                    test.points,
                    question.name,
                    test.expected,
                    test.success_message,
                    test.failure_message,
                )
            )
            _show(plan, plan.tests[-1])
        else:
            _otter_cell(cell, role, question, by_hand, plan, problems)
    for question in blocks.questions:
        tests = [each for each in plan.tests if each.group == question.name]
        question.share_points(tests, problems)
        if question.all_or_nothing and tests:
            _join(plan, tests)
        if question.manual and tests and id(question) in manual:
            manual[id(question)].points = 0  # its tests have the points
        elif question.manual and id(question) not in manual and question.cell is not None:
            problems.add(
                question.cell,
                1,
                f"{question.name!r} is graded by hand and has no solution or prompt to answer in: add # BEGIN SOLUTION and # END SOLUTION",
            )
    plan.notes += blocks.notes


def _join(plan: Plan, tests: list[Test]) -> None:
    """Make one test of several, which passes if all of them do."""
    first = tests[0]
    try:
        shown, whole = (
            "\n".join(asserting(code, each.expected).strip("\n") for each, code in several if code)
            for several in ([(each, each.shown) for each in tests], [(each, each.whole) for each in tests])
        )
    except SyntaxError:  # reported when the rubric is written
        return
    said = [
        "\n".join(text for each in tests if (text := getattr(each, name))) or None
        for name in ("feedback_pass", "feedback_fail")
    ]
    points = plain(math.fsum(each.points or 0 for each in tests))
    joined = Test(f"{first.group} - all", first.cell, shown, whole, points, first.group, None, *said)
    plan.tests = [joined if each is first else each for each in plan.tests if each is first or each not in tests]
    names = {each.name for each in tests}
    for cells, piece in zip((plan.student, plan.reference), _test_cells(joined), strict=True):
        places = [number for number, each in enumerate(cells) if each.marks.get("test") in names]
        cells[places[0]] = piece
        for number in reversed(places[1:]):
            del cells[number]


def _otter_cell(
    cell: SourceCell, role: str, question: Question, by_hand: ByHand | None, plan: Plan, problems: Problems
) -> None:
    marks = {"manual": by_hand.name} if by_hand else {}
    if by_hand and role == "solution":
        by_hand.guide.append(cell.source)
    if role == "prompt":
        plan.student.append(Piece(cell.kind, cell.source, marks))
    elif role == "solution" and (cell.kind != "code" or question.prompted):
        plan.reference.append(Piece(cell.kind, cell.source, marks))
        if not question.prompted:
            plan.student.append(Piece(cell.kind, "_Type your answer here, replacing this text._", marks))
    elif cell.kind == "code":
        cell = without_ignored(cell)
        code = student_code(cell, problems)
        plan.add(cell, None if code == cell.source.strip("\n") else code)
        if marks:
            plan.student[-1] = plan.student[-1]._replace(marks=marks)
            plan.reference[-1] = plan.reference[-1]._replace(marks=marks)
    else:
        plan.add(cell)


def _names(plan: Plan, problems: Problems) -> None:
    """Make the names unique, since they distinguish results."""
    seen: dict[str, SourceCell] = {}
    named: list[Test | ByHand] = [*plan.tests, *plan.manual]
    for each in named:
        what = "test" if isinstance(each, Test) else "question"
        if each.name in seen:
            problems.add(
                each.cell,
                1,
                f"another {what} is called {each.name!r} already, in cell {seen[each.name].number}: rename one of them",
            )
        seen[each.name] = each.cell
