"""Adds the points that a person gave to the points of the checks."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from browsergrad.hosting import plain

from ..errors import GradingError
from ..gradebook.marks import HandMark, Mark
from ..gradebook.tables import defused
from .answer_sheet import CHANGED, GONE, Line

__all__ = ["add_sheet"]


def add_sheet(marks: list[Mark], lines: list[Line], path: Path) -> tuple[list[Mark], list[str]]:
    """Return the marks with their points by hand, and messages for the teacher.

    If a submission has no line for a question, its answer counts as not graded yet.

    Raises
    ------
    GradingError
        Lines name submissions that have no result, or another lab. The message names all of them.
    """
    known = {str(defused(mark.submission)): mark for mark in marks}
    problems, told = [], []
    questions: dict[str, float] = {}
    graded: dict[str, dict[str, Line]] = defaultdict(dict)
    for line in lines:
        if line.note == GONE:
            continue
        if line.lab and line.lab != marks[0].lab:
            problems.append(f"{line.place}: it is of the lab {line.lab!r}, and the results are of {marks[0].lab!r}")
        elif line.submission in known:
            questions[line.question] = line.possible
            graded[line.submission][line.question] = line
        elif line.points is not None or line.comment:
            problems.append(
                f"{line.place}: {line.submission!r} has no result: grade it with the same path, or remove the line"
            )
        if line.note == CHANGED:
            told.append(f"{line.place}: {line.question!r} of {line.submission!r}: {CHANGED}")
    if not questions and not problems:
        problems.append(f"{path} has no lines of these results' submissions")
    if problems:
        raise GradingError("nothing was written:\n" + "\n".join(f"- {each}" for each in problems))
    done = []
    open_ones = 0
    for name, mark in known.items():
        by_hand = tuple(
            _mark(question, possible, graded[name].get(question)) for question, possible in questions.items()
        )
        open_ones += sum(each.points is None for each in by_hand)
        earned = math.fsum([mark.earned, *(each.points or 0 for each in by_hand)])
        possible = math.fsum([mark.possible, *questions.values()])
        done.append(replace(mark, earned=plain(earned), possible=plain(possible), by_hand=by_hand))
    if open_ones:
        told.append(f"{path}: {open_ones} answers are not graded yet, and count as 0 points so far")
    return done, told


def _mark(question: str, possible: float, line: Line | None) -> HandMark:
    if line is None:
        return HandMark(question, possible)
    return HandMark(question, possible, line.points, line.comment)
