"""Tracebacks of endless recursions: only their ends are looked at."""

from __future__ import annotations

from collections import Counter
from operator import attrgetter
from types import CodeType, TracebackType
from typing import Any

from .ours import entries_of
from .state import now

#: Entries at each end of a traceback that IPython looks at: more than CPython's own limit lets happen.
_ENDS = 1000


def only_ends(own: Any) -> Any:
    """Replaces ``ultratb.VerboseTB.get_records``: of an endless recursion only the ends are looked at.

    IPython looks at each entry, and shows what repeats as one.

    - versions: IPython 9
    - saves: 50 µs an entry: a million take a minute
    - test: `test_one_of_an_endless_recursion_is_short_and_counts_all`
    """

    def get_records(self: Any, etb: TracebackType, *args: Any) -> Any:
        entries = entries_of(etb)
        if len(entries) <= 2 * _ENDS:
            return own(self, etb, *args)
        now.left_out = _places(entries[_ENDS:-_ENDS])
        following = entries[-_ENDS]
        for entry in reversed(entries[:_ENDS]):  # anew: the user's own stays as it is
            following = TracebackType(following, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        try:
            return own(self, following, *args)
        finally:
            now.left_out = {}

    return get_records


def _places(entries: list[TracebackType]) -> dict[tuple[CodeType, int], int]:
    """How many entries are at each line. Nothing in Python, nor a code's hash, is called for each of a million."""
    codes = list(map(attrgetter("tb_frame.f_code"), entries))
    known = dict(zip(map(id, codes), codes, strict=True))
    counts = Counter(zip(map(id, codes), map(attrgetter("tb_lineno"), entries), strict=True))
    return {(known[code], line): count for (code, line), count in counts.items()}


def with_left_out(own: Any) -> Any:
    """Replaces ``stack_data.core.RepeatedFrames``: counts what `only_ends` has left out to the frames like it.

    - versions: stack_data 0.6
    - saves: nothing by itself
    - test: `test_one_of_an_endless_recursion_is_short_and_counts_all`
    """

    class RepeatedFrames(own):
        def __init__(self, frames: Any, frame_keys: list[tuple[CodeType, int]]) -> None:
            left_out = [[key] * now.left_out.pop(key, 0) for key in dict.fromkeys(frame_keys)]
            super().__init__(frames, sum(left_out, frame_keys))

    return RepeatedFrames
