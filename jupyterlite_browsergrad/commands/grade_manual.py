"""``grade --manual``: collect the answers that a person grades."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import GradingError
from ..grading.submissions import find_submissions
from ..terminal import say
from ..whole_files import file_in_the_way

__all__ = ["collect"]

SHEET = "manual.csv"
PAGE = "manual.html"


def collect(lab: Path, paths: list[Path], folder: Path, most_bytes: int, keys: list[Any]) -> int:
    """Write the page and the sheet, say what was written, and return the exit status.

    Raises
    ------
    GradingError
        The lab has nothing to grade by hand, there are no submissions, or the existing sheet has errors. The sheet stays as it is.
    """
    from ..manual.answer_page import answers_page
    from ..manual.answer_sheet import Answer, merged, read_sheet, write_sheet
    from ..manual.manual_questions import answers_of, read_questions

    if (there := file_in_the_way(folder)) is not None:
        raise GradingError(f"{there} is a file: give a folder with --manual")
    name, questions, handed_out = read_questions(lab)
    answers: dict[str, list[Answer]] = {each.name: [] for each in questions}
    for submission in find_submissions(paths):
        read = submission.read(most_bytes, keys)
        found = answers_of(submission.name, read.content, questions, handed_out) if read.problem is None else {}
        for each in questions:
            text, note = found.get(each.name, ("", f"the submission cannot be read: {read.problem}"))
            answers[each.name].append(Answer(each.name, submission.name, each.points, text, note))
    ordered = [answer for several in answers.values() for answer in several]
    sheet, page = folder / SHEET, folder / PAGE
    for path in (sheet, page):
        if path.is_dir():
            raise GradingError(f"{path} is a folder: remove or rename it")
    before = read_sheet(sheet) if sheet.exists() else []
    lines = merged(name, {each.name: each.points for each in questions}, ordered, before)
    write_sheet(sheet, lines)
    try:
        page.write_bytes(answers_page(name, questions, ordered, lines).encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise GradingError(f"{page} cannot be written: {error.strerror or error}") from error
    open_ones = sum(line.points is None for line in lines)
    say(page, keep="")
    say(f"{sheet}: {len(lines)} answers to {len(questions)} questions, {open_ones} of them not graded yet", keep="")
    return 0
