"""The sheet that a person fills in: a CSV file with one line for each answer.

The teacher fills in the columns ``points`` and ``comment``. They are kept when the sheet is made again, even for submissions that are
not given this time.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from browsergrad.hosting import plain

from ..errors import GradingError
from ..gradebook.csv_files import delimiter_of, read_csv_text
from ..gradebook.tables import csv_text, defused
from ..whole_files import replacing

__all__ = ["CHANGED", "COLUMNS", "GONE", "Answer", "Line", "merged", "read_sheet", "write_sheet"]

COLUMNS = ("row", "question", "submission", "possible", "points", "comment", "note", "answer", "lab", "version")
#: Note for an answer that has changed since it was graded.
CHANGED = "the answer has changed since it was graded: look again, then empty this note"
#: Note for a line that is kept, but no longer counts.
GONE = "the lab has no such question any more: this line does not count"
#: Longest part of an answer in the sheet, in characters. The page has the whole answer.
SHORT = 500


@dataclass(frozen=True)
class Answer:
    """A submission's answer to a question. `note` is for the teacher, for example that there is no answer."""

    question: str
    submission: str
    possible: float
    text: str
    note: str = ""

    @property
    def version(self) -> str:
        """A hash of the text, which shows whether the answer has changed since it was graded."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True)
class Line:
    """A line of a sheet.

    Attributes
    ----------
    points
        None for an answer that is not graded yet.
    note
        A hint to the teacher, such as `CHANGED`.
    version
        `Answer.version` of the answer that was graded.
    place
        File and line, for messages.
    """

    question: str
    submission: str
    possible: float
    points: float | None = None
    comment: str = ""
    note: str = ""
    answer: str = ""
    lab: str = ""
    version: str = ""
    place: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """Identifies the line: the question and the submission."""
        return self.question, self.submission


def merged(lab: str, worth: dict[str, float], answers: Iterable[Answer], before: Iterable[Line]) -> list[Line]:
    """Return the lines of a new sheet: first the answers, with what was filled in before, then all other lines of the sheet before.

    Parameters
    ----------
    worth
        The points of each question of the lab.
    before
        The lines of the sheet before.
    """
    shown_worth = {str(defused(name)): points for name, points in worth.items()}
    known = {line.key: line for line in before}
    lines = []
    for each in answers:
        line = Line(
            str(defused(each.question)), str(defused(each.submission)), each.possible, note=each.note,
            answer=each.text if len(each.text) <= SHORT else each.text[:SHORT] + "…", lab=lab, version=each.version,
        )  # fmt: skip
        old = known.pop(line.key, None)
        if old is not None:
            graded = old.points is not None or old.comment
            changed = graded and (old.version != line.version or old.note == CHANGED)
            line = replace(line, points=old.points, comment=old.comment, note=CHANGED if changed else line.note)
        lines.append(line)
    for old in known.values():
        if old.question in shown_worth:
            lines.append(replace(old, possible=shown_worth[old.question], note="" if old.note == GONE else old.note))
        else:
            lines.append(replace(old, note=GONE))
    return lines


def write_sheet(path: Path, lines: Iterable[Line]) -> None:
    """Write the sheet. If that fails, the file stays as it was, so that nothing that was filled in is lost.

    Raises
    ------
    GradingError
        It cannot be written.
    """
    rows: list[list[object]] = [list(COLUMNS)]
    for number, line in enumerate(lines, 1):
        rows.append([number, line.question, line.submission, plain(line.possible),
                     None if line.points is None else plain(line.points), line.comment, line.note, line.answer, line.lab,
                     line.version])  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as fresh:
            # Without a byte order mark, Excel reads a file in the computer's own encoding.
            fresh.write_bytes(csv_text(rows).encode("utf-8-sig", "backslashreplace"))
    except OSError as error:
        raise GradingError(f"{path} cannot be written: {error.strerror or error}") from error


def read_sheet(path: Path) -> list[Line]:
    """Read a sheet that was filled in. A spreadsheet may have saved it: with commas, semicolons or tabs, and with decimal commas.

    Raises
    ------
    GradingError
        It cannot be read, or some lines are wrong. The message names all of them.
    """
    text = read_csv_text(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    problems: list[str] = []
    lines: list[Line] = []
    try:
        head = [name.strip().casefold() for name in next(reader, [])]
        needed = ("question", "submission", "possible", "points")
        lost = [name for name in needed if head.count(name) != 1]
        if lost:
            raise GradingError(
                f"{path}: its first line does not have the column {lost[0]!r} once: keep the columns that `grade --manual` wrote"
            )
        number = reader.line_num + 1
        for row in reader:
            place, number = f"{path}, line {number}", reader.line_num + 1
            if any(cell.strip() for cell in row):
                line = _line(dict(zip(head, row, strict=False)), place, problems)
                if line is not None:
                    lines.append(line)
    except csv.Error as error:
        raise GradingError(
            f"{path}, line {reader.line_num}: it is not CSV: {error}: save it as CSV from a spreadsheet"
        ) from error
    problems += _twice(lines)
    if problems:
        raise GradingError("nothing was changed:\n" + "\n".join(f"- {each}" for each in problems))
    return lines


def _line(cells: dict[str, str], place: str, problems: list[str]) -> Line | None:
    question, submission = cells["question"].strip(), cells.get("submission", "").strip()
    if not question or not submission:
        problems.append(f"{place}: it needs a question and a submission: fill them in, or remove the line")
        return None
    possible = _number(cells.get("possible", ""))
    given = cells.get("points", "").strip()
    points = _number(given) if given else None
    if possible is None:
        problems.append(
            f"{place}: possible is {cells.get('possible', '')!r}, and not a number from 0 on: take it from the other lines of the question"
        )
        return None
    if given and points is None:
        problems.append(
            f"{place}: points are {given!r}, and not a number from 0 on; leave them empty for an answer that is not graded yet"
        )
    elif points is not None and points > possible:
        problems.append(
            f"{place}: {given} points are more than the {plain(possible):,.10g} of {question!r}: give fewer"
        )
    more = {name: cells.get(name, "").strip() for name in ("comment", "note", "answer", "lab", "version")}
    return Line(question, submission, possible, points, place=place, **more)


def _number(text: str) -> float | None:
    """Read a number that is not negative, with a decimal point or comma. None if it is not one."""
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return value if 0 <= value <= 1e9 else None


def _twice(lines: list[Line]) -> list[str]:
    """Problems between lines: the same key twice, or different possible points for one question."""
    problems = []
    seen: dict[tuple[str, str], Line] = {}
    worth: dict[tuple[str, str], Line] = {}
    for line in lines:
        first = seen.setdefault(line.key, line)
        if first is not line:
            problems.append(
                f"{line.place}: {line.question!r} of {line.submission!r} stands in {first.place.rpartition(', ')[2]} already: remove one of the lines"
            )
        same = line if line.note == GONE else worth.setdefault((line.lab, line.question), line)
        if same.possible != line.possible:
            problems.append(
                f"{line.place}: {line.question!r} has {line.possible:g} possible points here, {same.possible:g} in {same.place.rpartition(', ')[2]}: make them equal"
            )
    return problems
