"""What a source becomes: cells of notebooks, checks of rubrics, and questions that a person grades."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from .source import SourceCell

__all__ = ["ByHand", "Piece", "Plan", "Test"]


class Piece(NamedTuple):
    """A cell of a notebook that is made.

    Attributes
    ----------
    marks
        Its metadata under ``browsergrad``: ``{"manual": name}`` for an answer that a person grades, ``{"test": name}`` for a test.
    """

    kind: str
    text: str
    marks: dict[str, Any] = {}


@dataclass
class Test:
    """One check of the rubrics.

    Attributes
    ----------
    shown
        Code that the published rubric has; empty for a hidden test.
    whole
        Code that grading uses.
    expected
        Text that the code has to show, as otter compares it; None: it reports by exceptions alone.
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
        The marked cell is the task; the answer is in the cells that students add below it.
    guide
        The reference's answer, with its mark scheme: only the teacher's page has it.
    """

    name: str
    cell: SourceCell
    points: float
    is_task: bool = False
    guide: list[str] = field(default_factory=list)


@dataclass
class Plan:
    """What is made of a source, and what people have to be told."""

    student: list[Piece] = field(default_factory=list)
    reference: list[Piece] = field(default_factory=list)
    #: Code that is the same for both: its imports are the tests' too.
    given: list[SourceCell] = field(default_factory=list)
    tests: list[Test] = field(default_factory=list)
    manual: list[ByHand] = field(default_factory=list)
    #: What did not carry over.
    notes: list[str] = field(default_factory=list)

    def add(self, cell: SourceCell, student: str | None = None, by_hand: ByHand | None = None) -> None:
        """Add a cell for both.

        Parameters
        ----------
        student
            Its text for students where that differs.
        by_hand
            The question that the cell answers, or is.
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
