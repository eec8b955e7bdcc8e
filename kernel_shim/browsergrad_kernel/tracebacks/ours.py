"""Hides our own frames, which do not help a user."""

from __future__ import annotations

from operator import attrgetter
from types import TracebackType

from .._host import IN_PYODIDE, host

#: The folder of `browsergrad_kernel`.
_OUR_FOLDER = __file__.rpartition("/tracebacks/")[0] + "/"


def hide_ours(error: BaseException | None) -> None:
    """Remove this package's frames from the tracebacks of `error` and of all errors that it holds.

    These are frames of the replaced ``time.sleep``, ``input`` or ``run_sync``, for example.
    """
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        error = waiting.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        error.__traceback__ = without_ours(error.__traceback__)
        waiting += [error.__cause__, error.__context__]
        if isinstance(error, BaseExceptionGroup):
            waiting += error.exceptions


def without_ours(frames: TracebackType | None) -> TracebackType | None:
    """`frames` without those of this package and of the worker. If all are ours, the innermost one stays."""
    entries = entries_of(frames)
    if not any(map(_is_our_file, set(map(attrgetter("tb_frame.f_code.co_filename"), entries)))):
        return frames
    kept = [entry for entry in entries if not _is_ours(entry)]
    kept = kept or entries[-1:]
    following = None
    for entry in reversed(kept):
        if entry.tb_next is not following:  # setting it makes CPython visit all entries that follow
            entry.tb_next = following
        following = entry
    return following


def entries_of(frames: TracebackType | None) -> list[TracebackType]:
    entries = []
    while frames is not None:
        entries.append(frames)
        frames = frames.tb_next
    return entries


def only_users(frames: TracebackType | None) -> TracebackType | None:
    """`frames`, or None if `without_ours` had to keep one of ours."""
    return None if frames is None or _is_ours(frames) else frames


def _is_ours(entry: TracebackType) -> bool:
    return _is_our_file(entry.tb_frame.f_code.co_filename)


def _is_our_file(filename: str) -> bool:
    # For a callback from JavaScript, Pyodide shows functions of the worker and of its own modules too.
    return filename.startswith(_OUR_FOLDER) or (IN_PYODIDE and "://" in filename and host.is_own_script(filename))
