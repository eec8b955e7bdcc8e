"""Reads a list of students: a gradebook exported from a platform, or any CSV file with columns of the same names."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from ..errors import GradingError
from .csv_files import rows_of
from .students import Handed

__all__ = ["Roster", "Student", "read_roster"]

#: Field -> names of columns, in lower case: those of Canvas, Moodle, Blackboard and plain lists, in English.
_COLUMNS = {
    "name": ("student", "full name", "name"),
    "first": ("first name", "first"),
    "last": ("last name", "surname", "last"),
    "id": ("id", "identifier", "student id", "id number"),
    "sis": ("sis user id",),
    "username": ("username", "sis login id", "login"),
    "email": ("email address", "email"),
    "section": ("section",),
}


@dataclass(frozen=True)
class Student:
    """One row of a roster, or the student whom a submission's name gives."""

    name: str = ""
    id: str = ""
    username: str = ""
    email: str = ""
    sis: str = ""
    section: str = ""
    first: str = ""
    last: str = ""

    @property
    def shown(self) -> str:
        """The name for people."""
        return self.name or f"{self.first} {self.last}".strip() or self.username or self.email or self.id


@dataclass(frozen=True)
class Roster:
    """Students in the order of their file."""

    path: Path
    students: list[Student]

    def find(self, handed: Handed) -> tuple[Student | None, str]:
        """Return the student of a submission, or None and the reason. An id decides, then a login, then the name."""
        for field, wanted in (
            ("id", handed.id),
            ("username", handed.username),
            ("email", handed.username),
            ("name", handed.name),
        ):
            if not wanted:
                continue
            found = [each for each in self.students if _same(field, each, wanted)]
            if len(found) == 1:
                return found[0], ""
            if len(found) > 1:
                return None, f"{len(found)} students of {self.path} have the {field} {wanted!r}"
        return None, f"no student of {self.path} has the id, login or name {handed.key!r}"


def _same(field: str, student: Student, wanted: str) -> bool:
    if field == "id":
        return re.sub(r"\D*", "", student.id, count=1) == wanted  # Moodle writes `Participant 1234567`
    if field == "username":
        return wanted.casefold() in (student.username.casefold(), student.sis.casefold(), student.id.casefold())
    if field == "email":
        return bool(student.email) and wanted.casefold() in (
            student.email.casefold(),
            student.email.casefold().partition("@")[0],
        )
    return _letters(wanted) in {
        _letters(student.shown),
        _letters(f"{student.last}{student.first}"),
        _letters(_turned(student.shown)),
    }


def _turned(name: str) -> str:
    last, comma, first = name.partition(",")
    return f"{first} {last}" if comma else " ".join(reversed(name.split()))


def _letters(name: str) -> str:
    """A name as Canvas writes it in file names: only letters and digits, without accents."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in plain if letter.isalnum())


def read_roster(path: Path) -> Roster:
    """Read a list of students.

    Raises
    ------
    GradingError
        The list cannot be read, has no column that names students, or has the same id or login twice.
    """
    rows = list(rows_of(path))
    if not rows:
        raise GradingError(f"{path} is empty: it needs a first line with names of columns, such as Student, ID")
    head = [cell.strip().casefold() for cell in rows[0][1]]
    places = {
        field: next((head.index(name) for name in names if name in head), None) for field, names in _COLUMNS.items()
    }
    if all(places[field] is None for field in ("name", "last", "id", "username", "email")):
        raise GradingError(
            f"{path}: none of its columns ({', '.join(rows[0][1])[:200]}) names students: "
            "it needs one called Student, Full name, ID, Username or Email"
        )
    students: list[tuple[int, Student]] = []
    for number, row in rows[1:]:
        values = {
            field: row[place].strip() for field, place in places.items() if place is not None and place < len(row)
        }
        if any(values.values()) and "points possible" not in values.get("name", "").casefold():
            students.append((number, Student(**values)))
    if not students:
        raise GradingError(f"{path} has no students below its first line: add a line for each")
    _unique(path, students)
    return Roster(path, [student for _, student in students])


def _unique(path: Path, students: list[tuple[int, Student]]) -> None:
    for field in ("id", "username", "email"):
        seen: dict[str, int] = {}
        for number, each in students:
            value = getattr(each, field).casefold()
            if value and seen.setdefault(value, number) != number:
                raise GradingError(
                    f"{path}, line {number}: two students have the {field} {getattr(each, field)!r}, also the one in line {seen[value]}: correct the list first"
                )
