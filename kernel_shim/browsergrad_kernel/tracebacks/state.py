"""The traceback that is being made, for functions that get no argument about it."""

from __future__ import annotations

from types import CodeType


class Now:
    """The present traceback. Only one is made at a time."""

    #: ``"lines"``, or ``"variables"`` if these are shown too: their order depends on the whole scope. None if no traceback is being made.
    shows: str | None = None
    #: The same for the previous traceback.
    shown_before: str | None = None
    #: Line of the frame that is being examined.
    line: int | None = None
    #: The lines of its scope that are shown.
    shown: slice | None = None

    def __init__(self) -> None:
        #: Entries that are not examined, by code and line.
        self.left_out: dict[tuple[CodeType, int], int] = {}


now = Now()
