"""``in_place``: a test that works on the student's own names, not on the rubric's copy of them."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any, TypeVar

__all__ = ["in_place", "rubric_runs"]

_R = TypeVar("_R")


class _Rubric:
    """A rubric that runs: the student's own names, the rubric's, and what the rubric's were at first."""

    def __init__(self, own: dict[str, Any], module: dict[str, Any]) -> None:
        self.own = own
        self.module = module
        self.first = dict(module)

    def changed(self) -> dict[str, Any]:
        """Names that the rubric has given another meaning."""
        missing = object()
        return {
            name: value
            for name, value in self.module.items()
            if not name.startswith("__") and self.first.get(name, missing) is not value
        }


_running: list[_Rubric] = []


@contextmanager
def rubric_runs(own: dict[str, Any] | None, module: dict[str, Any]) -> Iterator[None]:
    """Let `in_place` work within the block; `own` is None where the student's names are in another interpreter."""
    if own is None:
        yield
        return
    _running.append(_Rubric(own, module))
    try:
        yield
    finally:
        _running.pop()


def in_place(function: Callable[[], _R]) -> Callable[[], _R]:
    """Let a rubric's function work on the student's own names: what it assigns or deletes as ``global``, the student's functions see.

    A rubric works on a copy of the student's names, so that it cannot damage them. A test that takes a function away to
    see whether another one calls it needs the names themselves. When the function ends, however it ends, the student's names mean
    again what they meant before; names that are new stay for the rest of the rubric::

        @bg.check("total uses squares")
        @bg.in_place
        def test():
            global squares
            del squares
            ...

        test()

    Raises
    ------
    RuntimeError
        The function is called outside of a rubric, or in one that runs in an interpreter of its own, apart from the student's names.
    """
    if not isinstance(function, FunctionType):
        raise TypeError(f"in_place takes a function, not {type(function).__name__}")

    @functools.wraps(function)
    def run() -> _R:
        if not _running:
            raise RuntimeError(
                "in_place needs the student's own names, which a rubric has only in an interpreter shared with them"
            )
        rubric = _running[-1]
        own, before = rubric.own, dict(rubric.own)
        own.update(rubric.changed())
        own["__builtins__"] = builtins
        inside = FunctionType(function.__code__, own, function.__name__, function.__defaults__, function.__closure__)
        try:
            result: _R = inside()
        finally:
            new = {name: value for name, value in own.items() if name not in before and not name.startswith("__")}
            own.clear()
            own.update(before)
            rubric.module.update(new)
        return result

    return run
