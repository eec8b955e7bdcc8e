"""Make tables for a platform's gradebook, feedback for students and an overview from a file of results.

Exit status: 0 if every submission has a row and every answer a grade; 1 if some have not: they are listed, and stand in left-over.csv;
2 if a file cannot be used.
"""

from __future__ import annotations

import argparse
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import GradingError
from ..exit_status import DONE, FAULTS
from ..terminal import say
from ..whole_files import file_in_the_way, write_all

if TYPE_CHECKING:
    from ..gradebook.book import Book, Row
    from ..gradebook.late import LateRule

__all__ = ["configure", "run"]

FORMS = ("canvas", "moodle", "blackboard", "plain")


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-01-31T23:59") from error


def _percent(text: str) -> float:
    return _between(text, 100)


def _number(text: str) -> float:
    return _between(text, 1e9)


def _days(text: str) -> int:
    return int(_between(text, 10_000))


def _between(text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from error
    if not 0 <= value <= most:
        raise argparse.ArgumentTypeError(f"{text} must be from 0 to {most:,.0f}")
    return value


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add = parser.add_argument
    add("results", metavar="RESULTS", type=Path, help="what `grade` wrote, such as results.jsonl")
    add(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("gradebook"),
        help="folder for what is made (default: gradebook)",
    )
    add("--for", dest="form", choices=FORMS, default="plain", help="whose columns the table has (default: plain)")
    add("--roster", metavar="CSV", type=Path, help="the course's students: a gradebook that the platform exported, or a list with columns such as Name, ID, Email; "
        "without it, those who handed in")  # fmt: skip
    add(
        "--column",
        metavar="NAME",
        help="name of the column of grades (default: the lab's id); for Canvas and Blackboard the assignment's, with its number",
    )
    add("--lab", metavar="ID", help="the lab, where the file holds results of several")
    add(
        "--manual",
        metavar="CSV",
        type=Path,
        help="points and comments by hand: the manual.csv of `grade --manual`, filled in",
    )
    add(
        "--nbgrader-db",
        metavar="FILE",
        type=Path,
        help="write points by cell, and those by hand with comments, into this gradebook.db of nbgrader's too; needs nbgrader",
    )
    add(
        "--nbgrader-notebook",
        metavar="ASSIGNMENT/NOTEBOOK",
        help="where in that database (default: the only notebook with the lab's name)",
    )
    add("--excel", action="store_true", help="write the table as grades.xlsx too; needs openpyxl")
    add("--no-feedback", action="store_true", help="write no pages for students")
    add("--due", metavar="TIME", type=_time, help="when the lab was due, such as 2026-01-31T23:59")
    add(
        "--times",
        metavar="CSV",
        type=Path,
        help="when submissions came in: columns submission and time; Blackboard's file names say it too",
    )
    add(
        "--late-penalty",
        metavar="PERCENT",
        type=_percent,
        default=0.0,
        help="of what was earned, for each day that began after --due (default: 0)",
    )
    add("--late-days", metavar="N", type=_days, default=0, help="days late that cost nothing (default: 0)")
    add(
        "--late-most",
        metavar="PERCENT",
        type=_percent,
        default=100.0,
        help="the most that lateness takes (default: 100)",
    )
    add("--cap", metavar="POINTS", type=_number, help="the most points that a grade can have")


def run(options: argparse.Namespace) -> int:
    """Write all files, say what was written, and return the exit status."""
    from ..gradebook.book import make_book
    from ..gradebook.late import read_times
    from ..gradebook.marks import read_marks
    from ..gradebook.roster import read_roster

    if (there := file_in_the_way(options.out)) is not None:
        raise GradingError(f"{there} is a file: give another folder with --out")
    marks = read_marks(options.results, options.lab)
    told: list[str] = []
    if options.manual:
        from ..manual.answer_sheet import read_sheet
        from ..manual.manual_marks import add_sheet

        marks, told = add_sheet(marks, read_sheet(options.manual), options.manual)
    roster = read_roster(options.roster) if options.roster else None
    times = read_times(options.times) if options.times else None
    book = make_book(marks, roster, _rule(options), times, options.cap)
    if options.nbgrader_db:
        from ..gradebook.nbgrader_book import export_to_nbgrader

        exported = export_to_nbgrader(book, options.nbgrader_db, options.nbgrader_notebook)
        say(f"{options.nbgrader_db}: {exported.cells} cells of {exported.students} students", keep="")
        told += exported.told
    for path in _write(book, options):
        say(path, keep="")
    for mark, why in book.left:
        say(f"jupyter browsergrad gradebook: {mark.submission}: {why}", sys.stderr, keep="")
    for text in told:
        say(f"jupyter browsergrad gradebook: {text}", sys.stderr, keep="")
    late = sum(1 for row in book.rows if row.late_days)
    say(
        f"{len(book.handed_in)} of {len(book.rows)} students have a grade, {late} were late; {len(book.left)} submissions have no row"
    )
    incomplete = told or any(not why.startswith("there is a later") for _, why in book.left)
    return FAULTS if incomplete else DONE


def _rule(options: argparse.Namespace) -> LateRule | None:
    from ..gradebook.late import LateRule

    if options.due is None:
        if options.late_penalty or options.late_days or options.times:
            raise GradingError("what is late depends on when the lab was due: give --due TIME")
        return None
    return LateRule(options.due, options.late_penalty, options.late_days, options.late_most)


def _write(book: Book, options: argparse.Namespace) -> list[Path]:
    from ..gradebook.feedback import feedback_page
    from ..gradebook.overview import overview_page
    from ..gradebook.tables import FORMS as TABLES
    from ..gradebook.tables import csv_text, excel_bytes

    table = TABLES[options.form](book, options.column or book.lab)
    folder: Path = options.out
    files: dict[Path, bytes] = {folder / "grades.csv": csv_text(table).encode("utf-8")}
    if options.form == "plain":
        # Without the mark, Excel assumes the computer's own encoding.
        files[folder / "grades.csv"] = csv_text(table).encode("utf-8-sig")
    if options.excel:
        files[folder / "grades.xlsx"] = excel_bytes(table, book.lab)
    left: list[list[Any]] = [
        ["submission", "earned", "possible", "why"],
        *([mark.submission, mark.earned, mark.possible, why] for mark, why in book.left),
    ]
    if book.left:
        files[folder / "left-over.csv"] = csv_text(left).encode("utf-8-sig")
    links = {} if options.no_feedback else {row: f"feedback/{name}.html" for row, name in _names(book).items()}
    for row, link in links.items():
        files[folder / link] = feedback_page(book, row).encode("utf-8")
    files[folder / "overview.html"] = overview_page(book, links).encode("utf-8")
    try:
        write_all(files)
        if not book.left:
            (folder / "left-over.csv").unlink(missing_ok=True)
    except OSError as error:
        raise GradingError(f"{error.filename} cannot be written: {error.strerror or error}") from error
    return [path for path in files if path.parent == folder] + ([folder / "feedback"] if links else [])


def _names(book: Book) -> dict[Row, str]:
    """A unique name for each page of feedback, of letters and digits that every file system accepts."""
    taken: set[str] = set()
    names: dict[Row, str] = {}
    for row in book.handed_in:
        student = row.student
        words = re.findall(
            r"\w+", " ".join(filter(None, (student.shown, student.id if student.id != student.shown else "")))
        )
        name = start = "-".join(words)[:100] or "student"
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{start}-{number}"
        taken.add(name.casefold())
        names[row] = name
    return names
