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

#: Harmless submissions: the code, its points, and the kind of its error.
HARMLESS: list[tuple[str, int, str | None]] = [
    (GOOD, 5, None),
    ("def find(words, wanted):\n    return words.index(wanted)\n", 4, None),
    (GOOD + "1 / 0\n", 5, "runtime"),
    ("def find(words, wanted)\n    return 0\n", 0, "syntax"),
]
MAX_POINTS = 5
#: Names of cheats, each of which tries to fool the grader in another way. All of `KINDS` are used too: they block or fill something.
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
        How many assertions pass. Not compared for a hostile submission, which only must not pass as a whole.
    errors
        Allowed kinds of its error. If empty, any kind is allowed.
    """

    stem: str
    hostile: str | None
    code: str = ""
    points: int = 0
    errors: frozenset[str | None] = frozenset()

    def problem(self, line: dict[str, Any]) -> str | None:
        """Return what is wrong with the verdict in a line of results; None if it is right."""
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
    """Return `count` submissions, among which `hostile` hostile ones are spread evenly.

    The hostile ones take all kinds in turn. If there are fewer than kinds, the kinds are chosen at even distances.
    """
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
    """Write the lab into the folder ``lab`` and the submissions into ``in``. Half of the harmless ones are notebooks."""
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
    """Return the results in a file."""
    return [json.loads(line) for line in out.read_text("utf-8").splitlines()]


def verify(out: Path, handed_in: list[Submission]) -> int:
    """Return the number of lines, all of which have the right verdict. A wrong verdict or number of lines ends the suite."""
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
