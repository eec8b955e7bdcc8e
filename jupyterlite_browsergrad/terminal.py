"""Text on its way to a terminal: what others wrote, such as names of files and of checks, can't move the cursor there."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, TextIO

from browsergrad.hosting import visible

__all__ = ["ending_on_sigterm", "json_shown", "one_line", "say", "shown"]


def shown(text: object, stream: TextIO | None = None, keep: str = "\n") -> str:
    r"""Return text whose control, format and bidirectional characters are escapes such as ``\x1b``, as `stream` can encode it.

    Those in `keep` stay as they are.
    """
    encoding = getattr(stream or sys.stdout, "encoding", None) or "utf-8"
    return visible(str(text), keep).encode(encoding, "backslashreplace").decode(encoding)


def say(text: object, stream: TextIO | None = None, keep: str = "\n") -> None:
    """Print `shown` text and flush; stdout is the default."""
    print(shown(text, stream, keep), file=stream or sys.stdout, flush=True)


def one_line(text: object) -> str:
    """Return text as part of a line: its line ends are escapes too."""
    return visible(str(text), keep="")


def json_shown(value: object, indent: int) -> str:
    """Return JSON in which every character that is not plain ASCII is an escape."""
    return json.dumps(value, indent=indent).replace("\x7f", "\\u007f")


@contextlib.contextmanager
def ending_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block by `SystemExit`, so that what it holds is given back, as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may
        return

    def end(number: int, frame: FrameType | None) -> Any:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
