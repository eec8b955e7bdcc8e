"""Reads a file of results: the last result of each submission, with its points."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from browsergrad.hosting import plain

from ..errors import GradingError
from ..grading.assertions import is_content

__all__ = ["HandMark", "Mark", "read_marks"]


@dataclass(frozen=True)
class HandMark:
    """The points that a person gave for one question. `points` is None if nobody has graded the answer yet."""

    question: str
    possible: float
    points: float | None = None
    comment: str = ""


@dataclass(frozen=True, eq=False)
class Mark:
    """A submission with its points.

    Attributes
    ----------
    submission
        Its path, as it was given to `grade`.
    earned, possible
        Points of the checks, with those in `by_hand`.
    result
        The result that `grade` has written for it.
    by_hand
        The questions that a person grades.
    """

    submission: str
    lab: str
    earned: float
    possible: float
    result: dict[str, Any]
    by_hand: tuple[HandMark, ...] = ()

    @property
    def ungraded(self) -> int:
        """The number of answers that nobody has graded yet."""
        return sum(each.points is None for each in self.by_hand)


def read_marks(path: Path, lab: str | None = None) -> list[Mark]:
    """Read the results of one lab. If checks have no points, each check that the reference passes is worth one point.

    Raises
    ------
    GradingError
        The file cannot be read, a line is not a result, or it holds results of several labs and `lab` does not choose.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise GradingError(
            f"{path} cannot be read: {error.strerror or error}: run `jupyter browsergrad grade LAB SUBMISSION --out {path}` first"
        ) from error
    found: dict[tuple[str, str], Mark] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            mark = _mark(line, f"{path}, line {number}")
            # A submission that was graded again has a second line. The last line counts.
            found.pop((mark.lab, mark.submission), None)
            found[mark.lab, mark.submission] = mark
    labs = sorted({mark.lab for mark in found.values()})
    if lab is None and len(labs) > 1:
        raise GradingError(f"{path} holds results of {len(labs)} labs, {', '.join(labs)}: choose one with --lab")
    if lab is not None and lab not in labs:
        raise GradingError(f"{path} holds no results of the lab {lab!r}, only of {', '.join(labs) or 'none'}")
    if not found:
        raise GradingError(f"{path} is empty: run `jupyter browsergrad grade LAB SUBMISSION --out {path}` first")
    return [mark for mark in found.values() if lab in (None, mark.lab)]


def _mark(line: bytes, place: str) -> Mark:
    try:
        result = json.loads(line.decode("utf-8-sig"))
        content = {"assertions": result["assertions"], "counts": result["counts"]}
        points, missing = result.get("points"), result["missing"]
        error = result["error"]
        if not (is_content(content) and isinstance(missing, list)) or (
            error is not None and not isinstance(error["kind"], str)
        ):
            raise ValueError
        if points is None:
            earned = result["counts"]["pass"]
            possible = earned + len(missing)
        else:
            earned, possible = plain(float(points["earned"])), plain(float(points["possible"]))
            if not (math.isfinite(earned) and math.isfinite(possible)):
                raise ValueError
        return Mark(str(result["submission"]), str(result["lab"]), earned, possible, result)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise GradingError(
            f"{place}, is not a result of `jupyter browsergrad grade`: remove that line, or grade again"
        ) from error
