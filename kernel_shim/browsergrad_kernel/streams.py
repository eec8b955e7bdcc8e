"""``sys.stdout`` and ``sys.stderr`` of the kernel.

Text goes to the worker, which coalesces it and posts the ``stream`` messages. Short texts that follow each other are
held in a list, since each call of the worker costs more than a short write: the worker takes them out of it when they
are due, also while Python runs. Output belongs to the request whose task wrote it, so a background task keeps writing
to the cell that created it.
"""

from __future__ import annotations

import contextvars
import io
import json
import sys
from typing import Any

from . import blocking
from ._host import IN_PYODIDE, host

#: Parent header of whatever this task writes, as JSON.
_parent: contextvars.ContextVar[str | None] = contextvars.ContextVar("browsergrad_stream_parent", default=None)
#: The newest one, for callbacks from JavaScript, which no task has created.
_newest = "{}"
_announced: str | None = None
#: The stream that wrote last.
_writer: OutStream | None = None
#: Its texts for the request `_announced`. The worker empties the list at any moment between two steps of Python, and
#: puts an empty text in to say that more may follow; it finds the list by its address.
_held: list[str] = []
#: Texts held at most, and the length from which a text is not held.
_MOST_HELD, _LONG = 1000, 100


def set_parent(header: dict[str, Any]) -> None:
    """Text written by this task, and by tasks it creates, belongs to the request of `header`."""
    global _newest
    _newest = json.dumps(header)
    _parent.set(_newest)


def held_address() -> int:
    """Where in Pyodide's memory the worker finds the list of held texts."""
    return id(_held)


class OutStream(io.TextIOBase):
    """A text stream of the kernel, ``name`` being ``stdout`` or ``stderr``."""

    encoding = "UTF-8"  # written as ipykernel does
    errors = "backslashreplace"
    line_buffering = True

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def name(self) -> str:
        return f"<{self._name}>"

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno: the notebook's streams have no file descriptor")

    def write(self, text: str) -> int:
        if (
            type(text) is str
            and self is _writer
            and (_parent.get() or _newest) is _announced
            and len(text) < _LONG
            and len(_held) < _MOST_HELD
            and _held  # last: after a call the worker may have emptied it
        ):
            _held.append(text)
            return len(text)
        return self._write_through(text)

    def _write_through(self, text: str) -> int:
        global _announced, _writer
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        parent = _parent.get() or _newest
        if parent is not _announced:
            host.stream_parent(parent)
            _announced = parent
        try:
            text.encode()
        except UnicodeEncodeError:  # lone surrogates can't cross to JavaScript
            text = text.encode("utf-8", "backslashreplace").decode()
        _writer = self
        if host.write(self._name, text):
            blocking.wait_for_room()
        return len(text)

    def flush(self) -> None:
        if not self.closed:
            host.flush()

    def close(self) -> None:
        """A notebook's streams stay open whatever a library does."""


def install() -> None:
    """Make ``print`` and friends write to the notebook."""
    sys.stdout, sys.stderr = OutStream("stdout"), OutStream("stderr")
    if IN_PYODIDE:
        # At its end, as in any kernel: `input` asks the front end instead.
        sys.stdin = io.StringIO()
