"""The lab of the grading suite, its submissions, and the verdict that each must get."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.grading.cheats import CHEATS, RUBRIC, WRONG
from tests.grading.hostile import KINDS
from tests.grading.hostile import write as write_hostile
from tests.grading.labs import GOOD, write_lab

#: Harmless submissions: code, its points, and the kind of its error.
HARMLESS: list[tuple[str, int, str | None]] = [
    (GOOD, 5, None),
    ("def find(words, wanted):\n    return words.index(wanted)\n", 4, None),
    (GOOD + "1 / 0\n", 5, "runtime"),
    ("def find(words, wanted)\n    return 0\n", 0, "syntax"),
]
MAX_POINTS = 5
#: Cheats that fool the grader, each in another way. All of `KINDS` are used too; those block or fill something.
FOOLING = [
    "module class",
    "import machinery",
    "monitoring",
    "gc callback",
    "audit hook",
    "patched statistics",
    "shadowing module",
    "data file",
    "lab.json",
    "equal to everything",
    "frames",
    "answers for the shell",
    "forged answers",
]
HOSTILE = [*KINDS, *FOOLING]


@dataclass(frozen=True)
class Submission:
    """A submission.

    Attributes
    ----------
    stem
        Its file's name without the suffix.
    hostile
        Kind of a hostile submission; None for a harmless one.
    code
        Code of a harmless submission.
    points
        How many assertions pass. Of a hostile submission, only not all may pass.
    errors
        Allowed kinds of its error; if empty, any.
    """

    stem: str
    hostile: str | None
    code: str = ""
    points: int = 0
    errors: frozenset[str | None] = frozenset()

    def problem(self, line: dict[str, Any]) -> str | None:
        """The problem of its verdict."""
        error = line["error"] and line["error"]["kind"]
        if self.errors and error not in self.errors:
            return f"its error is {error}, not one of {sorted(map(str, self.errors))}"
        wanted = not self.hostile and self.points == MAX_POINTS
        if line["passed"] != wanted:
            return f"passed is {line['passed']}"
        if not self.hostile and line["counts"]["pass"] != self.points:
            return f"{line['counts']['pass']} of its {self.points} points"
        return None


def submissions(count: int, hostile: int) -> list[Submission]:
    """So many submissions. Hostile ones are spread evenly among them, of all kinds in turn; if there are fewer, of evenly chosen kinds."""
    found: list[Submission] = []
    few = hostile < len(HOSTILE)
    for number in range(count):
        stem, before = f"{number:03}", number * hostile // count
        if (number + 1) * hostile // count > before:
            kind = HOSTILE[before * len(HOSTILE) // hostile if few else before % len(HOSTILE)]
            found.append(Submission(stem, kind, errors=KINDS[kind].kinds if kind in KINDS else frozenset()))
        else:
            code, points, error = HARMLESS[(number - before) % len(HARMLESS)]
            found.append(Submission(stem, None, f"{code}# {number}\n", points, frozenset({error})))
    return found


def write(folder: Path, handed_in: list[Submission]) -> None:
    """Write the lab and the submissions into `lab` and `in`. Half of the harmless ones are notebooks."""
    write_lab(folder / "lab", rubric=RUBRIC)
    (folder / "in").mkdir()
    harmless = 0
    for each in handed_in:
        path = folder / "in" / each.stem
        if each.hostile in KINDS:
            write_hostile(each.hostile, path, "find")
        elif each.hostile:
            path.with_suffix(".py").write_text(WRONG + CHEATS[each.hostile], "utf-8")
        else:
            if harmless // len(HARMLESS) % 2:
                path.with_suffix(".py").write_text(each.code, "utf-8")
            else:
                path.with_suffix(".ipynb").write_text(_notebook(each.code), "utf-8")
            harmless += 1


def _notebook(code: str) -> str:
    cell = {"cell_type": "code", "metadata": {}, "source": code, "outputs": [], "execution_count": None}
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def lines_of(out: Path) -> list[dict[str, Any]]:
    """The results in a file."""
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def verify(out: Path, handed_in: list[Submission]) -> int:
    """Count the lines with the right verdict. A wrong verdict, or a wrong number of lines, ends the suite."""
    lines = lines_of(out)
    by_stem = {Path(line["submission"]).stem: line for line in lines}
    wanted = {each.stem: each for each in handed_in}
    if len(lines) != len(by_stem) or by_stem.keys() != wanted.keys():
        raise SystemExit(f"{out}: {len(lines)} lines of {len(by_stem)} submissions; there are {len(wanted)}")
    wrong = [
        f"{stem} ({wanted[stem].hostile or 'harmless'}): {problem}: {line['error']}"
        for stem, line in by_stem.items()
        if (problem := wanted[stem].problem(line))
    ]
    if wrong:
        raise SystemExit("\n".join([f"{out}: verdicts that are not as they must be:", *wrong]))
    return len(lines)
