"""Text for people and for JSON, made from values and strings of user code."""

from __future__ import annotations

import sys
import time
import traceback
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from types import FrameType, TracebackType
from typing import Any

#: Most characters of a repr that are kept.
MAX_REPR = 10_000
#: Seconds that the ``__repr__`` methods of one value may take.
REPR_SECONDS = 2.0
#: Most characters of the name of a check or artifact, and of a message, that are kept.
MAX_NAME = 1000
MAX_MESSAGE = 10_000
#: Most characters of a traceback that are kept.
MAX_TRACEBACK = 20_000
#: Greatest depth of nested containers that a repr shows.
_REPR_DEPTH = 100
_BRACKETS: dict[type, tuple[str, str]] = {
    list: ("[", "]"),
    tuple: ("(", ")"),
    set: ("{", "}"),
    frozenset: ("frozenset({", "})"),
    dict: ("{", "}"),
}


#: Types whose repr runs no user code and returns at once.
_QUICK = (type(None), bool, float, complex)
#: The same for items of a container that is written at once, if its integers and texts are short.
_SHORT = frozenset({*_QUICK, int, str})
#: Greatest integer of such a container.
_SHORT_INT = 1 << 64


class _Full(Exception):
    """The repr has reached its greatest length."""


class _TooSlow(BaseException):
    """The time for a repr is over. Not derived from Exception, since user code may catch those."""


class _ReprWriter:
    """Writes the repr of built-in containers item by item, so that a huge text is never built."""

    def __init__(self, limit: int) -> None:
        self.parts: list[str] = []
        self.left = limit
        self.parents: list[int] = []
        self.end = time.monotonic() + REPR_SECONDS

    def write(self, text: str) -> None:
        if len(text) > self.left:
            self.parts.append(text[: self.left])
            raise _Full
        self.parts.append(text)
        self.left -= len(text)

    def value(self, value: Any) -> None:
        kind = type(value)
        if kind in (str, bytes):
            self.write(repr(value[: self.left + 1]))
        elif kind is int:
            self.write(_int_repr(value))
        elif kind in _BRACKETS and value:
            self._container(value, *_BRACKETS[kind])
        elif kind in _QUICK:
            self.write(repr(value))
        else:
            self.write(_call_repr(value, self.end))

    def _container(self, value: Any, opening: str, closing: str) -> None:
        if id(value) in self.parents or len(self.parents) >= _REPR_DEPTH:
            self.write(f"{opening}...{closing}")
            return
        if self._is_short(value):
            self.write(repr(value))
            return
        self.parents.append(id(value))
        self.write(opening)
        for index, item in enumerate(value):
            if index:
                self.write(", ")
            self.value(item)
            if isinstance(value, dict):
                self.write(": ")
                self.value(value[item])
        if isinstance(value, tuple) and len(value) == 1:
            self.write(",")
        self.write(closing)
        self.parents.pop()

    def _is_short(self, value: Any) -> bool:
        """Whether `repr` of a container is at most some ten times as long as what is left, so that it may be written at once."""
        if len(value) > self.left:
            return False
        items = [*value.keys(), *value.values()] if type(value) is dict else value
        kinds = set(map(type, items))
        if not kinds <= _SHORT:
            return False
        if int in kinds and any(type(item) is int and not -_SHORT_INT < item < _SHORT_INT for item in items):
            return False
        return str not in kinds or sum(len(item) for item in items if type(item) is str) <= self.left


def _int_repr(value: int) -> str:
    try:
        return repr(value)
    except ValueError:  # CPython refuses to write integers of more than 4,300 digits
        return f"<int of {value.bit_length()} bits>"


@contextmanager
def _until(end: float) -> Iterator[None]:
    """Raise `_TooSlow` in Python code that is still running at `end`. Has no effect while a debugger traces the code."""
    if sys.gettrace() is not None:
        yield
        return
    events = count()

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if not next(events) % 64 and time.monotonic() > end:
            raise _TooSlow
        return trace

    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(None)


def _call_repr(value: Any, end: float) -> str:
    try:
        with _until(end):
            return str(repr(value))
    except (KeyboardInterrupt, _TooSlow):
        raise
    except BaseException as error:  # a user's __repr__ may raise anything, even SystemExit
        return f"<repr failed: {type(error).__name__}>"


def limited_repr(value: object, limit: int = MAX_REPR) -> str:
    """``repr(value)``, cut at `limit` characters and after `REPR_SECONDS`. Its exceptions are caught.

    A repr that hangs in C code cannot be cut; the interrupt of the cell ends it.
    """
    writer = _ReprWriter(limit)
    try:
        writer.value(value)
    except _Full:
        return encodable("".join(writer.parts)) + f"… (cut at {limit:,} characters)"
    except _TooSlow:
        return encodable("".join(writer.parts)) + f"… (repr took longer than {REPR_SECONDS:g} seconds)"
    except KeyboardInterrupt:
        raise
    except Exception as error:  # such as a container that changes while it is written
        return f"<repr failed: {type(error).__name__}>"
    return encodable("".join(writer.parts))


def limited_traceback(error: BaseException, frames: TracebackType | None) -> str:
    """The traceback of `error`, beginning at `frames`. If it is long, its middle is left out."""
    try:
        text = "".join(traceback.format_exception(type(error), error, frames))
    except KeyboardInterrupt:
        raise
    except BaseException:  # a user's __str__ or __notes__ may raise anything
        text = "".join(traceback.format_tb(frames)) + type(error).__name__
    if len(text) > MAX_TRACEBACK:
        half = MAX_TRACEBACK // 2
        text = f"{text[:half]}\n… ({len(text) - 2 * half:,} characters left out) …\n{text[-half:]}"
    return encodable(text)


def limited_str(error: BaseException) -> str:
    """``str(error)``, cut like a repr. Exceptions in its ``__str__`` are caught."""
    try:
        text = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException as broken:  # a user's __str__ may raise anything
        return f"<str failed: {type(broken).__name__}>"
    return encodable(text if len(text) <= MAX_REPR else text[:MAX_REPR] + "…")


def encodable(text: str) -> str:
    """`text` with lone surrogates as escapes. UTF-8 cannot hold them, so Jupyter messages cannot either."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def cut(text: str, limit: int) -> str:
    """`text`, cut at `limit` characters, with lone surrogates as escapes."""
    return encodable(text if len(text) <= limit else f"{text[:limit]}… (cut at {limit:,} characters)")


def visible(text: str, keep: str = "\n\t") -> str:
    r"""`text` with control, format and bidirectional characters as escapes such as ``\u202e``.

    Characters in `keep` stay as they are.
    """
    if text.isprintable():  # then it has no character of `_INVISIBLE`
        return text
    return "".join(
        character
        if character in keep or unicodedata.category(character) not in _INVISIBLE
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


#: Unicode categories of characters that are invisible or change how other characters look.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
