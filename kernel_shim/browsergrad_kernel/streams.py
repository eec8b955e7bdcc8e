"""``sys.stdout`` and ``sys.stderr`` of the kernel.

Text goes to the worker, which coalesces it and posts the ``stream`` messages. Short texts that follow each other are
held in a list, since each call of the worker costs more than a short write: the worker takes them out of it when they
are due, also while Python runs. Output belongs to the request whose task wrote it, so a background task keeps writing
to the cell that created it.

C code, and whatever writes to the descriptors 1 and 2, reaches the worker by Pyodide's own streams, and its text takes
its place among the others. So the descriptors may be used, and ``sys.__stdout__`` is the notebook's stream too: what a
cell puts back after a redirection writes where ``print`` did before.
"""

from __future__ import annotations

import codecs
import contextvars
import io
import json
import sys
from typing import Any

from . import blocking
from ._host import IN_PYODIDE, host

_DESCRIPTORS = {"stdout": 1, "stderr": 2}
#: Requests whose output somebody shows.
_SHOWN = {"execute_request", "comm_open", "comm_msg", "comm_close"}

#: Parent header of whatever this task writes, as JSON.
_parent: contextvars.ContextVar[str | None] = contextvars.ContextVar("browsergrad_stream_parent", default=None)
#: The newest one, for callbacks from JavaScript, which no task has created, and for descriptors.
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
    global _newest, _announced
    parent = json.dumps(header)
    _parent.set(parent)
    if header.get("msg_type", "execute_request") in _SHOWN:
        _newest = _announced = parent
        host.stream_parent(parent, True)


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
        self._bytes: _Bytes | None = None

    @property
    def name(self) -> str:
        return f"<{self._name}>"

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return _DESCRIPTORS[self._name]

    @property
    def buffer(self) -> _Bytes:
        """The same stream for bytes."""
        if self._bytes is None:
            self._bytes = _Bytes(self)
        return self._bytes

    def detach(self) -> _Bytes:  # type: ignore[override]  # which is no file
        """The stream for bytes; unlike a file's, this one goes on working."""
        return self.buffer

    def reconfigure(self, **options: Any) -> None:
        """Change nothing: text is always UTF-8, and is shown at once."""

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
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self._bytes is not None:
            text = self._bytes.rest() + text
        return self._send(text)

    def _send(self, text: str) -> int:
        global _announced, _writer
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


class _Bytes(io.BufferedIOBase):
    """A stream as ``sys.stdout.buffer`` knows it: takes bytes in any pieces, and shows them as UTF-8."""

    def __init__(self, stream: OutStream) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def name(self) -> str:
        return self._stream.name

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, data: Any) -> int:
        global _writer
        if isinstance(data, str):
            raise TypeError("a bytes-like object is required, not 'str'")
        data = bytes(memoryview(data))
        text = self._decoder.decode(data)
        if text:
            self._stream._send(text)
        if self._decoder.getstate()[0]:
            _writer = None  # the next text asks for the rest
        return len(data)

    def rest(self) -> str:
        """What an unfinished character is shown as, since no byte of it follows."""
        return self._decoder.decode(b"", True)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        """It stays open, as its stream does."""


#: The streams that `install` made.
_installed: list[OutStream] = []


def install(kind: type[OutStream] = OutStream) -> None:
    """Make ``print`` and friends write to the notebook."""
    out, err = _installed[:] = kind("stdout"), kind("stderr")
    sys.stdout = sys.__stdout__ = out  # type: ignore[misc,assignment]  # kept for what restores it
    sys.stderr = sys.__stderr__ = err  # type: ignore[misc,assignment]
    if IN_PYODIDE:
        # At its end, as in any kernel: `input` asks the front end instead.
        sys.stdin = io.StringIO()


def end_request() -> None:
    """Send what a request has left: the beginning of a character included."""
    for stream in _installed:
        if stream._bytes is not None and (rest := stream._bytes.rest()):
            stream._send(rest)
    host.flush(True)
