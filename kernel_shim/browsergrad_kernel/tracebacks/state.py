"""What the traceback is that is being made, for functions that nobody tells."""

from __future__ import annotations

from types import CodeType


class Now:
    """The traceback of this moment; one is made at a time."""

    #: ``"lines"``, or ``"variables"`` as well, whose order depends on all of a scope; None while there is none.
    shows: str | None = None
    #: The same of the traceback before.
    shown_before: str | None = None
    #: Line of the frame that is looked at.
    line: int | None = None
    #: Lines of its scope that are shown.
    shown: slice | None = None

    def __init__(self) -> None:
        #: Entries that are not looked at, by code and line.
        self.left_out: dict[tuple[CodeType, int], int] = {}


now = Now()
