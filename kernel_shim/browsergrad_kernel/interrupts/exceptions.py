"""The exceptions that end an interrupted cell."""

from __future__ import annotations

import asyncio

from .state import current, snapshot


class CellTimeoutError(KeyboardInterrupt):
    """The cell ran longer than its limit.

    It is a KeyboardInterrupt, so that ``except Exception`` does not catch it.
    """

    __module__ = "builtins"  # tracebacks show the bare name


class _Interrupted(asyncio.CancelledError, KeyboardInterrupt):
    """The exception that an interrupted await raises.

    The user's ``except KeyboardInterrupt`` catches it. So does ``except CancelledError``, on which the
    cleanup of TaskGroup, timeout and wait_for depends.
    """


class _TimedOut(asyncio.CancelledError, CellTimeoutError):
    """The same for a cell that ran longer than its limit."""


for _class, _alias in ((_Interrupted, KeyboardInterrupt), (_TimedOut, CellTimeoutError)):
    _class.__name__ = _class.__qualname__ = _alias.__name__
    _class.__module__ = "builtins"


def interruption(awaiting: bool = False, limit_ms: int | None = None) -> KeyboardInterrupt:
    """Return the exception that ends the cell, after a press on Stop or at its time limit.

    Parameters
    ----------
    awaiting
        Whether it is thrown into an await.
    limit_ms
        The limit that the cell has passed, or 0. If None, the worker is asked.
    """
    if limit_ms is None:
        limit_ms = snapshot().limit_ms
    if limit_ms:
        text = f"the cell ran longer than its limit of {limit_ms / 1000:g} s"
        return _TimedOut(text) if awaiting else CellTimeoutError(text)
    return _Interrupted() if awaiting else KeyboardInterrupt()


def itself(error: BaseException) -> BaseException:
    """Return the interrupt that caused an error; the error itself if it has another cause.

    An interrupt that passes through JavaScript becomes a JsException, and C code may turn it into a SystemError.
    """
    if isinstance(error, SystemError):
        is_disguised = isinstance(error.__cause__, KeyboardInterrupt)
    else:
        names = ("KeyboardInterrupt", "CellTimeoutError")
        is_disguised = type(error).__name__ == "JsException" and getattr(error, "type", None) in names
    if not is_disguised or not current.is_active:
        return error
    known = snapshot()
    if not known.was_hit:
        return error
    return interruption(limit_ms=known.limit_ms).with_traceback(error.__traceback__)
