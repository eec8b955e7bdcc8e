"""The parts that a source is sorted into: cells of notebooks, checks of rubrics, and questions that a person grades."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..grading.moments import mark_of
from .source import SourceCell

__all__ = ["ByHand", "Piece", "Plan", "Test", "placed"]


class Piece(NamedTuple):
    """A cell of a notebook to be made.

    Attributes
    ----------
    marks
        The cell's metadata under ``browsergrad``: ``{"manual": name}`` for an answer that a person grades, ``{"test": name}`` for a test,
        and ``"tests_below"`` with the marks of tests that are not shown.
    """

    kind: str
    text: str
    marks: dict[str, Any] = {}


@dataclass
class Test:
    """A test, which becomes a check of the rubrics.

    Attributes
    ----------
    shown
        The code in the published rubric. Empty for a hidden test.
    whole
        The code in the rubric for grading.
    expected
        The output that the code must have, compared as otter does. None if the test only fails by exceptions.
    feedback_pass, feedback_fail
        Texts for the student.
    """

    name: str
    cell: SourceCell
    shown: str
    whole: str
    points: float | None = None
    group: str | None = None
    expected: str | None = None
    feedback_pass: str | None = None
    feedback_fail: str | None = None


@dataclass
class ByHand:
    """A question that a person grades.

    Attributes
    ----------
    is_task
        Whether the marked cell is the task itself. Then the answer is in the cells that the student adds below it.
    guide
        The reference's answer with its mark scheme. Only the teacher's page shows it.
    """

    name: str
    cell: SourceCell
    points: float
    is_task: bool = False
    guide: list[str] = field(default_factory=list)


@dataclass
class Plan:
    """Everything that is made from a source, and messages for the teacher."""

    student: list[Piece] = field(default_factory=list)
    reference: list[Piece] = field(default_factory=list)
    #: Code cells that students and reference have in common. Tests may use their imports.
    given: list[SourceCell] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
    manual: list[ByHand] = field(default_factory=list)
    #: Messages about what could not be carried over.
    notes: list[str] = field(default_factory=list)

    def add(self, cell: SourceCell, student: str | None = None, by_hand: ByHand | None = None) -> None:
        """Add a cell to both notebooks.

        Parameters
        ----------
        student
            The text for students; None if it is the same.
        by_hand
            The question to which the cell is the answer or the task.
        """
        marks = {"manual": by_hand.name} if by_hand else {}
        self.reference.append(Piece(cell.kind, cell.source, marks))
        if by_hand and cell.source.strip():
            by_hand.guide.append(cell.source)
        if student is None:
            self.student.append(Piece(cell.kind, cell.source, marks))
            if cell.kind == "code":
                self.given.append(cell)
        elif student or cell.kind != "code":
            self.student.append(Piece(cell.kind, student, marks))
        else:
            self.student.append(Piece(cell.kind, "# Write your code here.", marks))


def placed(pieces: list[Piece], test_cells: bool) -> list[Piece]:
    """The students' cells without tests that they must not see, whose places the cells above them note: results depend on when tests run.

    Parameters
    ----------
    test_cells
        Whether students see the other tests.
    """
    kept: list[Piece] = []
    for piece in pieces:
        if "test" not in piece.marks or (test_cells and piece.text):
            kept.append(piece)
        elif kept:
            below = [*kept[-1].marks.get("tests_below", []), mark_of(piece.marks["test"])]
            kept[-1] = kept[-1]._replace(marks=kept[-1].marks | {"tests_below": below})
    return kept
