"""Reads the questions of a lab that a person grades, from the file that `assign` wrote beside it, and the answers in a submission."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import GradingError
from ..exit_status import FAULTS
from ..grading.submissions import NOTEBOOKS
from ..labs.folders import HIDDEN, MANIFEST_NAME, MANUAL
from ..labs.notebook_metadata import marks_of_cell

__all__ = ["HandedOut", "ManualQuestion", "answers_of", "read_questions"]


@dataclass(frozen=True)
class ManualQuestion:
    """A question that a person grades.

    Attributes
    ----------
    is_task
        Whether the marked cell is the task itself. Then the answer is in the cells that the student adds below it.
    guide
        The reference's answer.
    """

    name: str
    points: float
    is_task: bool
    guide: str


@dataclass(frozen=True)
class HandedOut:
    """Ids and texts of the cells in the students' notebook. They show which cells of a submission the student has added."""

    ids: frozenset[str]
    texts: frozenset[str]


def read_questions(lab: Path) -> tuple[str, list[ManualQuestion], HandedOut]:
    """Read a lab's id, its questions, and the cells that students got.

    Raises
    ------
    GradingError
        The lab has no such questions, or the file that `assign` wrote cannot be read.
    """
    folder = (lab.parent if lab.name == MANIFEST_NAME else lab).resolve()
    path = folder.with_name(folder.name + HIDDEN) / MANUAL
    try:
        found = json.loads(path.read_text("utf-8"))
        questions = [
            ManualQuestion(str(each["name"]), float(each["points"]), bool(each["task"]), str(each["guide"]))
            for each in found["questions"]
        ]
        manifest = json.loads((folder / MANIFEST_NAME).read_text("utf-8"))
        lab_id, starter = str(manifest["id"]), folder / str(manifest["starter_path"])
    except FileNotFoundError as error:
        raise GradingError(
            f"there is no {error.filename}: `jupyter browsergrad assign` writes {MANUAL} for a source with cells that are graded by hand"
        ) from error
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise GradingError(
            f"{path} or the lab's manifest cannot be read: {error}. `jupyter browsergrad assign` writes it again",
            exit_status=FAULTS,
        ) from error
    return lab_id, questions, _handed_out(starter)


def _handed_out(starter: Path) -> HandedOut:
    try:
        cells = cells_of_notebook(starter.read_bytes()) if starter.suffix == ".ipynb" else []
    except (OSError, ValueError):
        cells = []
    return HandedOut(
        frozenset(str(cell["id"]) for cell in cells if "id" in cell), frozenset(text_of_cell(cell) for cell in cells)
    )


def cells_of_notebook(content: bytes) -> list[dict[str, Any]]:
    """Return a notebook's cells. Raises ValueError if the content is not a notebook."""
    try:
        cells = json.loads(content.decode("utf-8-sig"))["cells"]
        if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
            raise ValueError("its cells are not a list of objects")
    except (LookupError, TypeError, RecursionError) as error:
        raise ValueError(f"it is not a notebook of format 4 ({type(error).__name__}: {error})") from error
    return cells


def text_of_cell(cell: dict[str, Any]) -> str:
    """Return a cell's text. Also reads sources that the notebook format does not allow, since submissions are not trusted."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(map(str, source if isinstance(source, list) else []))


def _question_of(cell: dict[str, Any]) -> str | None:
    """The question that a cell belongs to: by nbgrader's metadata if it has any for this, otherwise by the metadata that `assign` wrote."""
    ours, theirs = marks_of_cell(cell, "browsergrad"), marks_of_cell(cell, "nbgrader")
    by_hand = theirs.get("task") or (theirs.get("grade") and theirs.get("solution"))
    name = theirs.get("grade_id") if by_hand else ours.get("manual")
    return name if isinstance(name, str) else None


def answers_of(
    name: str, content: bytes, questions: list[ManualQuestion], handed_out: HandedOut
) -> dict[str, tuple[str, str]]:
    """Return the answer to each question in a submission, with a note for the teacher or an empty text.

    A Python file has no cells. So the whole file is the answer to each question.

    Parameters
    ----------
    name, content
        The submission's file.
    """
    if not name.endswith(NOTEBOOKS):
        text = content.decode("utf-8", "replace")
        return {each.name: (text, "the submission is a Python file: this is all of it") for each in questions}
    try:
        cells = cells_of_notebook(content)
    except ValueError as error:
        return {each.name: ("", f"the submission cannot be read: {error}") for each in questions}
    tasks = {each.name for each in questions if each.is_task}
    parts: dict[str, list[str]] = {}
    task: str | None = None
    for cell in cells:
        marked = _question_of(cell)
        if marked is not None:
            parts.setdefault(marked, [])
            task = marked if marked in tasks else None
            if task is None:
                parts[marked].append(text_of_cell(cell))
        elif task is not None and _is_added(cell, handed_out):
            parts[task].append(text_of_cell(cell))
        else:
            task = None
    found = {}
    for each in questions:
        if each.name in parts:
            answer = "\n\n".join(parts[each.name])
            found[each.name] = (answer, "" if answer.strip() else "there is no answer")
        else:
            found[each.name] = ("", "the submission has no such cell: look into the notebook itself")
    return found


def _is_added(cell: dict[str, Any], handed_out: HandedOut) -> bool:
    """Whether a student has added a cell."""
    return cell.get("id") not in handed_out.ids and text_of_cell(cell) not in handed_out.texts
