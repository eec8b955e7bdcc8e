"""Tracebacks of endless recursions: only their two ends are examined."""

from __future__ import annotations

import contextlib
import importlib
from collections import Counter
from collections.abc import Iterator
from operator import attrgetter
from types import CodeType, TracebackType
from typing import Any

from .ours import entries_of
from .state import now

#: Entries at each end of a traceback that IPython examines. CPython's own limit allows fewer calls.
_ENDS = 1000
#: A traceback with more entries counts as one of a recursion.
_LONG = 100


def only_ends(own: Any) -> Any:
    """Replaces ``ultratb.VerboseTB.get_records``: examines only the two ends of an endless recursion.

    IPython examines each entry, and joins repeated ones. But it joins only neighbours whose source it reads, and entries of files
    without a source, or with a very long one, separate them. In a long traceback all entries count as neighbours.

    - versions: IPython 9
    - saves: 50 µs an entry, so a minute for a million. With `exec`, whose code has no file, a thousand entries took 4 s and 4,000 lines
    - test: `test_one_of_an_endless_recursion_is_short_and_counts_all`, `test_one_through_code_without_a_file_is_short`
    """

    def get_records(self: Any, etb: TracebackType, *args: Any) -> Any:
        entries = entries_of(etb)
        if len(entries) <= _LONG:
            return own(self, etb, *args)
        with _as_neighbours():
            return of_long(self, etb, entries, *args)

    def of_long(self: Any, etb: TracebackType, entries: list[TracebackType], *args: Any) -> Any:
        if len(entries) <= 2 * _ENDS:
            return own(self, etb, *args)
        now.left_out = _places(entries[_ENDS:-_ENDS])
        following = entries[-_ENDS]
        for entry in reversed(entries[:_ENDS]):  # new entries: the user's traceback stays as it is
            following = TracebackType(following, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
        try:
            return own(self, following, *args)
        finally:
            now.left_out = {}

    return get_records


@contextlib.contextmanager
def _as_neighbours() -> Iterator[None]:
    """Make IPython treat every file as a short one with a source."""
    ultratb: Any = importlib.import_module("IPython.core.ultratb")
    kept = ultratb.get_line_number_of_frame
    ultratb.get_line_number_of_frame = lambda frame: 1
    try:
        yield
    finally:
        ultratb.get_line_number_of_frame = kept


def _places(entries: list[TracebackType]) -> dict[tuple[CodeType, int], int]:
    """How many entries there are at each line. There may be a million, so no Python function, and no hash of code, is called for each."""
    codes = list(map(attrgetter("tb_frame.f_code"), entries))
    known = dict(zip(map(id, codes), codes, strict=True))
    counts = Counter(zip(map(id, codes), map(attrgetter("tb_lineno"), entries), strict=True))
    return {(known[code], line): count for (code, line), count in counts.items()}


def with_left_out(own: Any) -> Any:
    """Replaces ``stack_data.core.RepeatedFrames``: adds the entries that `only_ends` left out to the counts of equal ones.

    - versions: stack_data 0.6
    - saves: nothing by itself
    - test: `test_one_of_an_endless_recursion_is_short_and_counts_all`
    """

    class RepeatedFrames(own):
        def __init__(self, frames: Any, frame_keys: list[tuple[CodeType, int]]) -> None:
            left_out = [[key] * now.left_out.pop(key, 0) for key in dict.fromkeys(frame_keys)]
            super().__init__(frames, sum(left_out, frame_keys))

    return RepeatedFrames
