"""``sys.stdout`` and ``sys.stderr`` of the kernel.

Text goes to the worker as it is written; the worker coalesces it and posts the ``stream``
messages. Output belongs to the request whose task wrote it, so a background task keeps writing
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


def set_parent(header: dict[str, Any]) -> None:
    """Text written by this task, and by tasks it creates, belongs to the request of `header`."""
    global _newest
    _newest = json.dumps(header)
    _parent.set(_newest)


class OutStream(io.TextIOBase):
    """A text stream of the kernel, ``name`` being ``stdout`` or ``stderr``."""

    encoding = "utf-8"
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
        global _announced
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
