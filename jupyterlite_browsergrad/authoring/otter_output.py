"""Turns the output of otter's ``assign`` back into a source: the notebooks for students and for grading, and the tests.

The two notebooks are compared cell by cell. Where they differ, the one for grading has the solution, and the students' its prompt.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from browsergrad.hosting import plain

from ..errors import AuthoringError
from .markers import solved_code
from .notebooks import cell, notebook, notebook_text
from .otter_tests import GeneratedTest, settings_of, tests_of_file, tests_of_metadata
from .source import SourceCell, read_source

__all__ = ["Generated", "generated_in"]

CONFIG = "otter_config.json"
_CHECK = re.compile(r"""\s*grader\.check\(["'](?P<name>[^"']+)["']\)\s*""")
_OTTERS = re.compile(
    r"\s*(# Initialize Otter|import otter\b|grader\.(check_all|export)\(|# Save your notebook first|%pip install .*otter"
    r"|---\s+To double-check your work|## Submission\s+Make sure you have run)"
)
_QUESTION = re.compile(r"<!--\s*(BEGIN|END) QUESTION\s*-->\s*")


@dataclass
class Generated:
    """An assignment that otter has generated: the notebook with solutions, and the students' notebook."""

    solved: Path
    student: Path
    #: Messages about what could not be carried over.
    notes: list[str] = field(default_factory=list)

    def source_text(self) -> str:
        """Return a source for `assign`, as a notebook's text.

        Raises
        ------
        AuthoringError
            There are no tests, or something cannot be read.
        """
        tests = self._tests()
        if not tests:
            raise AuthoringError(f"{self.solved}: neither its metadata nor a folder tests beside it has otter's tests")
        config = self.solved.parent / CONFIG
        if config.is_file():
            self.notes += [f"{config}: the setting {name!r} is not followed" for name in settings_of(config)]
        made = list(self._cells(tests))
        for left in tests.values():  # tests that no cell runs
            made += [_test_cell(test) for test in left]
        return notebook_text(notebook(cell(kind, text, number) for number, (kind, text) in enumerate(made)))

    def _tests(self) -> dict[str, list[GeneratedTest]]:
        found: dict[str, list[GeneratedTest]] = {}
        for path in (
            self.solved,
            self.student,
        ):  # the students' notebook has no hidden tests, so it is only used if there are no other tests
            folder = path.parent / "tests"
            several = [
                test for file in sorted(folder.glob("*.py")) if file.stem != "__init__" for test in tests_of_file(file)
            ]
            several = several or tests_of_metadata(path, _metadata(path))
            for test in several:
                found.setdefault(test.question, []).append(test)
            if found:
                break
        return found

    def _cells(self, tests: dict[str, list[GeneratedTest]]) -> Iterator[tuple[str, str]]:
        solved, student = (
            [each for each in read_source(path) if not _OTTERS.match(each.source)]
            for path in (self.solved, self.student)
        )
        keys = [[(each.kind, each.source.strip()) for each in cells] for cells in (student, solved)]
        number = 0
        for what, a, b, c, d in difflib.SequenceMatcher(None, keys[0], keys[1], autojunk=False).get_opcodes():
            if what == "equal":
                for each in solved[c:d]:
                    yield from _given(each, tests)
                continue
            pairs = max(b - a, d - c)
            for index in range(pairs):
                prompt = student[a + index] if a + index < b else None
                solution = solved[c + index] if c + index < d else None
                if any(each is not None and each.kind != "code" for each in (prompt, solution)):
                    number += 1
                    text = f"<!-- MANUAL question {number} -->\n### BEGIN SOLUTION\n{solution.source if solution else ''}\n### END SOLUTION"
                    at = solution or prompt
                    assert at is not None
                    self.notes.append(
                        f"{at.at()}: 'question {number}' is graded by hand; otter's output does not say its points, so it has 1"
                    )
                    yield "markdown", text
                else:
                    yield "code", self._answer(prompt, solution)

    def _answer(self, prompt: SourceCell | None, solution: SourceCell | None) -> str:
        parts = []
        if prompt is not None:
            quotes = next((each for each in ('"""', "'''") if each not in prompt.source), None)
            if quotes is None:
                self.notes.append(
                    f"{prompt.at()}: its text for students has both kinds of triple quotes: they get `...` instead"
                )
                parts.append("# BEGIN SOLUTION\n# END SOLUTION")
            else:
                parts.append(f"{quotes} # BEGIN PROMPT\n{prompt.source}\n{quotes} # END PROMPT")
        if solution is not None:
            parts.append(f"# BEGIN SOLUTION NO PROMPT\n{solved_code(solution.source)}\n# END SOLUTION")
        return "\n".join(parts)


def _given(each: SourceCell, tests: dict[str, list[GeneratedTest]]) -> Iterator[tuple[str, str]]:
    """A cell that both notebooks have: text, code, or the call that runs a question's tests."""
    check = _CHECK.fullmatch(each.source) if each.kind == "code" else None
    if check:
        yield from (_test_cell(test) for test in tests.pop(check["name"], []))
    elif each.kind in ("code", "markdown"):
        text = _QUESTION.sub("", each.source) if each.kind == "markdown" else each.source
        if text.strip():
            yield each.kind, text


def _test_cell(test: GeneratedTest) -> tuple[str, str]:
    said = [(word, text) for word, text in (("PASS", test.feedback_pass), ("FAIL", test.feedback_fail)) if text]
    head = f"# {'HIDDEN ' if test.hidden else ''}TEST {test.name} ({plain(test.points or 0, 12)} points)"
    return "code", "\n".join([head, *(f"# {word}: {' '.join(str(text).split())}" for word, text in said), test.code])


def _metadata(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))["metadata"].get("otter", {})
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise AuthoringError(f"{path} cannot be read as a notebook: {error}") from error
    return found if isinstance(found, dict) else {}


def generated_in(folder: Path) -> list[Generated]:
    """Return otter's assignments in a folder: notebooks that both ``autograder`` and ``student`` have under one name."""
    found = []
    for solved in sorted((folder / "autograder").glob("*.ipynb")):
        student = folder / "student" / solved.name
        if student.is_file():
            found.append(Generated(solved, student))
    return found
