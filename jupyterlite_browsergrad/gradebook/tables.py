"""Makes tables for the import into platforms, each with the columns that the platform's documentation names.

=============  =============================================================================================
form           columns
=============  =============================================================================================
``canvas``     Student, ID, SIS User ID, SIS Login ID, Section, and the assignment; a second line has its points
``moodle``     the offline grading worksheet: Identifier, Full name, Email address, Grade, Maximum grade,
               Feedback comments
``blackboard`` Last Name, First Name, Username, and the column
``plain``      all that is known
=============  =============================================================================================
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from typing import Any

from browsergrad.hosting import plain

from ..errors import GradingError
from .book import Book, Row

__all__ = ["FORMS", "csv_text", "defused", "excel_bytes"]

Table = list[list[Any]]
#: Characters that begin a formula in a spreadsheet.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def defused(value: Any) -> Any:
    """Return a text in a form that a spreadsheet does not take for a formula. Numbers stay numbers."""
    if not isinstance(value, str):
        return "" if value is None else value
    value = value.replace("\0", "")
    return f"'{value}" if value.lstrip(" ").startswith(_FORMULA) or value.startswith(_FORMULA) else value


def _canvas(book: Book, column: str) -> Table:
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", column]
    rows = [
        [row.student.shown, row.student.id, row.student.sis, row.student.username, row.student.section, row.grade]
        for row in book.rows
    ]
    return [head, ["    Points Possible", "", "", "", "", book.possible], *rows]


def _moodle(book: Book, column: str) -> Table:
    head = ["Identifier", "Full name", "Email address", "Grade", "Maximum grade", "Feedback comments"]
    return [
        head,
        *(
            [_participant(row), row.student.shown, row.student.email, row.grade, book.possible, _comment(row)]
            for row in book.rows
        ),
    ]


def _participant(row: Row) -> str:
    return f"Participant {row.student.id}" if row.student.id.isdigit() else row.student.id or row.student.username


def _blackboard(book: Book, column: str) -> Table:
    rows = []
    for row in book.rows:
        first, last = row.student.first, row.student.last
        if not (first or last):
            first, _, last = row.student.name.rpartition(" ")
        rows.append([last, first, row.student.username or row.student.id, row.grade])
    return [["Last Name", "First Name", "Username", column], *rows]


def _plain(book: Book, column: str) -> Table:
    head = ["student", "id", "username", "email", "grade", "earned", "possible", "late_days", "passed", "checks_passed", "checks_missing",
            "error", "submission"]  # fmt: skip
    by_hand = any(row.mark and row.mark.by_hand for row in book.rows)
    if by_hand:
        head += ["by_hand", "not_graded"]
    rows: Table = []
    for row in book.rows:
        who = [row.student.shown, row.student.id, row.student.username, row.student.email]
        if row.mark is None:
            rows.append([*who, *[None] * (len(head) - len(who))])
            continue
        result = row.mark.result
        error = result["error"]["kind"] if result["error"] else None
        rows.append([*who, row.grade, row.mark.earned, row.mark.possible, row.late_days, "yes" if row.passed else "no",
                     result["counts"]["pass"], len(result["missing"]), error, row.mark.submission])  # fmt: skip
        if by_hand:
            rows[-1] += [plain(math.fsum(each.points or 0 for each in row.mark.by_hand)), row.mark.ungraded]
    return [head, *rows]


#: Name of a form -> function that makes its table.
FORMS: dict[str, Callable[[Book, str], Table]] = {
    "canvas": _canvas,
    "moodle": _moodle,
    "blackboard": _blackboard,
    "plain": _plain,
}


def _comment(row: Row) -> str:
    if row.mark is None:
        return ""
    failed = [str(each["name"]) for each in row.mark.result["assertions"] if each["kind"] != "pass"]
    said = f"Not passed: {', '.join(failed[:20])}." if failed else ""
    late = f" {row.late_days} days late." if row.late_days else ""
    by_hand = "".join(f" {each.question}: {each.comment}" for each in row.mark.by_hand if each.comment)
    return (said + late + by_hand).strip()


def csv_text(table: Table) -> str:
    """Return a table as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([defused(value) for value in row] for row in table)
    return text.getvalue()


def excel_bytes(table: Table, title: str) -> bytes:
    """Return a table as an Excel workbook. Raises `GradingError` if openpyxl is not installed."""
    try:
        from openpyxl import Workbook
    except ImportError as error:
        raise GradingError('openpyxl is not installed: pip install "jupyterlite-browsergrad[excel]"') from error
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "".join(letter for letter in title if letter not in r"[]:*?/\\")[:31] or "grades"
    for row in table:
        sheet.append([defused(value) if not isinstance(value, str) else _printable(defused(value)) for value in row])
    sheet.freeze_panes = "A2"
    content = io.BytesIO()
    workbook.save(content)
    return content.getvalue()


def _printable(text: str) -> str:
    return "".join(letter for letter in text if letter >= " " or letter in "\n\t")
