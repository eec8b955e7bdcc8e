"""The gradebook: one row for each student, and the reasons why some submissions have no row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from browsergrad.hosting import plain

from ..errors import GradingError
from .late import LateRule
from .marks import Mark
from .roster import Roster, Student
from .students import Handed, who

__all__ = ["Book", "Row", "make_book"]


@dataclass(frozen=True, eq=False)
class Row:
    """The row of one student. `mark` is None if nothing was handed in."""

    student: Student
    mark: Mark | None = None
    late_days: int = 0
    grade: float | None = None

    @property
    def passed(self) -> bool:
        return bool(self.mark and self.mark.result.get("passed"))


@dataclass
class Book:
    """All rows. `left` has each submission that has no row, with the reason."""

    lab: str
    possible: float
    rows: list[Row] = field(default_factory=list)
    left: list[tuple[Mark, str]] = field(default_factory=list)

    @property
    def handed_in(self) -> list[Row]:
        """Rows with a submission."""
        return [row for row in self.rows if row.mark is not None]


def make_book(
    marks: list[Mark],
    roster: Roster | None = None,
    rule: LateRule | None = None,
    times: Mapping[str, datetime] | None = None,
    cap: float | None = None,
) -> Book:
    """Give each student the mark of their submission.

    Parameters
    ----------
    roster
        The students of the course. If None, those who handed in something.
    rule
        The rule for late submissions.
    times
        Times of submissions, by their path or its last part. If a time is missing, the one in a file name from Blackboard counts.
    cap
        The most points of a grade.

    Raises
    ------
    GradingError
        `times` names a submission that does not exist.
    """
    handed = who(mark.submission for mark in marks)
    given = _times(marks, times or {})
    book = Book(marks[0].lab, max(mark.possible for mark in marks))
    if cap is not None:
        book.possible = min(book.possible, cap)
    students: dict[Student, list[Mark]] = defaultdict(list)
    for mark in marks:
        whose = handed[mark.submission]
        student, why = roster.find(whose) if roster else (_student(whose), "")
        if student is None:
            book.left.append((mark, why))
        else:
            students[student].append(mark)
    for student in [*(roster.students if roster else students)]:
        chosen = _latest(students.get(student, []), handed, book)
        days = rule.days(given.get(chosen.submission, handed[chosen.submission].time)) if rule and chosen else 0
        book.rows.append(Row(student, chosen, days, _grade(chosen, rule, days, cap)))
    if roster is None:
        book.rows.sort(key=lambda row: row.student.shown.casefold())
    return book


def _grade(mark: Mark | None, rule: LateRule | None, days: int, cap: float | None) -> float | None:
    if mark is None:
        return None
    grade = mark.earned * (rule.factor(days) if rule else 1)
    return plain(grade if cap is None else min(grade, cap))


def _student(handed: Handed) -> Student:
    return Student(handed.name, handed.id, handed.username)


def _latest(marks: list[Mark], handed: dict[str, Handed], book: Book) -> Mark | None:
    """The last attempt of a student. None if the names do not say which one that is. All other attempts go to `book.left`."""
    if len(marks) < 2:
        return marks[0] if marks else None
    marks = sorted(marks, key=lambda mark: handed[mark.submission].order)
    orders = [handed[mark.submission].order for mark in marks]
    if not orders[-1] or orders[-1] == orders[-2]:
        names = ", ".join(mark.submission for mark in marks)
        book.left += [
            (mark, f"one student has {len(marks)} submissions, and their names do not say which is the last: {names}")
            for mark in marks
        ]
        return None
    book.left += [(mark, f"there is a later attempt: {marks[-1].submission}") for mark in marks[:-1]]
    return marks[-1]


def _times(marks: list[Mark], times: Mapping[str, datetime]) -> dict[str, datetime]:
    by_end: dict[str, list[str]] = defaultdict(list)
    for mark in marks:
        by_end[mark.submission].append(mark.submission)
        last = mark.submission.rpartition("/")[2]
        if last != mark.submission:
            by_end[last].append(mark.submission)
    found = {}
    for name, time in times.items():
        paths = by_end.get(name, [])
        if len(paths) != 1:
            raise GradingError(
                f"the list of times names {name!r}, which {'is not a submission' if not paths else 'several submissions have as their name'}: "
                "write the path as it is in the results"
            )
        found[paths[0]] = time
    return found
