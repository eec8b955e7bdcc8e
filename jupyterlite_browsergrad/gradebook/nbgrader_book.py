"""Writes results into nbgrader's gradebook database, with nbgrader's own API. Writes a copy first, which then replaces the database."""

from __future__ import annotations

import shutil
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import GradingError
from ..whole_files import replacing
from .book import Book, Row

__all__ = ["Exported", "export_to_nbgrader"]


@dataclass
class Exported:
    """The result of an export: the numbers of students and cells, and messages for the teacher."""

    students: int = 0
    cells: int = 0
    told: list[str] = field(default_factory=list)


def export_to_nbgrader(book: Book, path: Path, notebook: str | None) -> Exported:
    """Write each student's points into the cells that have the names of the checks and questions, with the comments by hand.

    Adds students that the database does not have. Does not apply lateness and caps, which nbgrader computes itself.

    Parameters
    ----------
    notebook
        ``ASSIGNMENT/NOTEBOOK`` in the database; None: the only one that has the lab's name.

    Raises
    ------
    GradingError
        nbgrader is not installed, there is no such database or notebook, or it cannot be written. The database is as it was.
    """
    try:
        from nbgrader.api import Gradebook
    except ImportError as error:
        raise GradingError(
            "nbgrader is not installed in this environment: pip install nbgrader, or run this command in that of your course"
        ) from error
    if not path.is_file():
        raise GradingError(f"there is no database {path}: give the file gradebook.db of the course")
    try:
        with replacing(path) as work:
            shutil.copyfile(path, work)
            try:
                # When nbgrader adds a submission, SQLAlchemy warns about nbgrader's own code.
                with warnings.catch_warnings(action="ignore"), Gradebook(f"sqlite:///{work.resolve()}") as target:
                    return _Export(target, book, *_place(target, notebook, book.lab, path)).run()
            except GradingError:
                raise
            # Whatever SQLite, SQLAlchemy or nbgrader raises: nothing of it has reached the database.
            except Exception as error:
                raise GradingError(
                    f"{path} cannot be used as nbgrader's database: {type(error).__name__}: {error}"
                ) from error
    except OSError as error:
        raise GradingError(f"{path} cannot be written: {error.strerror or error}") from error


def _place(target: Any, notebook: str | None, lab: str, path: Path) -> tuple[str, str]:
    """The names of assignment and notebook."""
    there = [(assignment.name, each.name) for assignment in target.assignments for each in assignment.notebooks]
    if notebook is not None:
        wanted = [tuple(notebook.split("/", 1))]
    else:
        wanted = [each for each in there if lab in (each[1], "-".join(each))]
    found = [each for each in there if each in wanted]
    if len(found) != 1:
        names = ", ".join("/".join(each) for each in there) or "none"
        what = (
            f"no notebook {notebook!r}"
            if notebook
            else f"{len(found) or 'no'} notebooks that have the name of the lab {lab!r}"
        )
        raise GradingError(f"{path} has {what}: give --nbgrader-notebook ASSIGNMENT/NOTEBOOK, one of {names}")
    return found[0]


class _Export:
    """One export into an open gradebook of nbgrader."""

    def __init__(self, target: Any, book: Book, assignment: str, notebook: str) -> None:
        self.target = target
        self.book = book
        self.assignment = assignment
        self.notebook = notebook
        self.done = Exported()
        self.unknown: set[str] = set()

    def run(self) -> Exported:
        for row in self.book.handed_in:
            self._student(row)
        self.target.db.commit()
        self.done.told += [
            f"{self.assignment}/{self.notebook} has no cell {name!r}: its points were not written"
            for name in sorted(self.unknown)
        ]
        return self.done

    def _student(self, row: Row) -> None:
        from nbgrader.api import MissingEntry

        assert row.mark is not None
        student = row.student
        name = student.username or student.id or student.shown
        try:
            self.target.find_student(name)
        except MissingEntry:
            self.target.add_student(name, first_name=student.first or None, last_name=student.last or student.name or None, email=student.email or None)  # fmt: skip
        submission = self.target.update_or_create_submission(self.assignment, name)
        theirs = next(each for each in submission.notebooks if each.name == self.notebook)
        grades = {each.name: each for each in theirs.grades}
        comments = {each.name: each for each in theirs.comments}
        for check, earned in _earned(row.mark.result).items():
            grade = self._cell(grades, check)
            if grade is not None:
                grade.auto_score, grade.needs_manual_grade = earned, False
        for each in row.mark.by_hand:
            grade = self._cell(grades, each.question)
            if grade is not None:
                grade.manual_score, grade.needs_manual_grade = each.points, each.points is None
            if each.comment and each.question in comments:
                comments[each.question].manual_comment = each.comment
        self.done.students += 1

    def _cell(self, grades: dict[str, Any], name: str) -> Any:
        if name not in grades:
            self.unknown.add(name)
            return None
        self.done.cells += 1
        return grades[name]


def _earned(result: dict[str, Any]) -> dict[str, float]:
    """The points of each check. A check that did not run has none."""
    found = dict.fromkeys(result["missing"], 0.0)
    for each in result["assertions"]:
        if each.get("points"):
            found[each["name"]] = float(each.get("earned", 0))
    return found
