"""``sys.stdout`` and ``sys.stderr`` of the kernel.

Text goes to the worker, which joins it and posts the ``stream`` messages. A call of the worker costs more than a short
write, so consecutive short texts are held in a list. The worker takes them from the list when they are due, even while
Python runs. Output belongs to the request whose task wrote it, so a background task continues to write to the cell that
created it.

C code, and everything else that writes to the descriptors 1 and 2, reaches the worker through Pyodide's own streams, in
the right order with the other text. So the descriptors may be used. ``sys.__stdout__`` is also the notebook's stream: a cell
may restore it after a redirection.
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
#: Requests whose output front ends show.
_SHOWN = {"execute_request", "comm_open", "comm_msg", "comm_close"}

#: Header of the request to which the output of this task belongs, as JSON.
_parent: contextvars.ContextVar[str | None] = contextvars.ContextVar("browsergrad_stream_parent", default=None)
#: The newest such header. Used for callbacks from JavaScript, which do not run in a task, and for descriptors.
_newest = "{}"
_announced: str | None = None
#: The stream that wrote last.
_writer: OutStream | None = None
#: Texts of `_writer` for the request `_announced`. The worker may empty the list between any two steps of Python. It then
#: inserts an empty text, which means that more texts may be added. It finds the list by its address.
_held: list[str] = []
#: Most texts that are held, and the length from which a text is not held.
_MAX_HELD, _LONG = 1000, 100


def set_parent(header: dict[str, Any]) -> None:
    """Assign text that is written by this task, and by tasks that it creates, to the request with `header`."""
    global _newest, _announced
    parent = json.dumps(header)
    _parent.set(parent)
    if header.get("msg_type", "execute_request") in _SHOWN:
        _newest = _announced = parent
        host.stream_parent(parent, True)


def held_address() -> int:
    """Address of the list of held texts in Pyodide's memory."""
    return id(_held)


class OutStream(io.TextIOBase):
    """A text stream of the kernel: ``stdout`` or ``stderr``."""

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

    def detach(self) -> _Bytes:  # type: ignore[override]  # the type is not a file's
        """The stream for bytes. Unlike a file, this stream can still be used afterwards."""
        return self.buffer

    def reconfigure(self, **options: Any) -> None:
        """Do nothing: text is always UTF-8 and is shown at once."""

    def write(self, text: str) -> int:
        if (
            type(text) is str
            and self is _writer
            and (_parent.get() or _newest) is _announced
            and len(text) < _LONG
            and len(_held) < _MAX_HELD
            and _held  # last: after a call the worker may have emptied it
        ):
            _held.append(text)
            return len(text)
        return self._write_through(text)

    def _write_through(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        rest = self._bytes.rest() if self._bytes is not None else ""
        self._send(rest + text)
        return len(text)

    def _send(self, text: str) -> None:
        global _announced, _writer
        parent = _parent.get() or _newest
        if parent is not _announced:
            host.stream_parent(parent)
            _announced = parent
        try:
            text.isascii() or text.encode()
        except UnicodeEncodeError:  # lone surrogates can't cross to JavaScript
            text = text.encode("utf-8", "backslashreplace").decode()
        _writer = self
        if host.write(self._name, text):
            blocking.wait_for_room()

    def flush(self) -> None:
        if not self.closed:
            host.flush()

    def close(self) -> None:
        """Do nothing: a notebook's streams stay open, whatever a library does."""


class _Bytes(io.BufferedIOBase):
    """The stream in ``sys.stdout.buffer``: accepts bytes in pieces of any size and shows them as UTF-8."""

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
            _writer = None  # so that the next text first shows the unfinished character
        return len(data)

    def rest(self) -> str:
        """The text for an unfinished character at the end, no more of whose bytes will follow."""
        return self._decoder.decode(b"", True)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        """Do nothing: it stays open, like its stream."""


#: The streams that `install` made.
_installed: list[OutStream] = []


def install(kind: type[OutStream] = OutStream) -> None:
    """Make ``print`` and similar functions write to the notebook."""
    out, err = _installed[:] = kind("stdout"), kind("stderr")
    sys.stdout = sys.__stdout__ = out  # type: ignore[misc,assignment]  # for code that restores it
    sys.stderr = sys.__stderr__ = err  # type: ignore[misc,assignment]
    if IN_PYODIDE:
        # An empty stream, as in any kernel: `input` asks the front end instead.
        sys.stdin = io.StringIO()


def end_request() -> None:
    """Send the rest of a request's output, including an unfinished character."""
    for stream in _installed:
        if stream._bytes is not None and (rest := stream._bytes.rest()):
            stream._send(rest)
    host.flush(True)
