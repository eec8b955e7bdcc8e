"""The sink of events, chosen once, at the first event.

If a host has installed a sink, that is used. Else, in a notebook, IPython shows MIME bundles. Else a line is printed.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from ._render import event_line

#: Takes ``{"type": "assertion" | "artifact", "event": {…}}``.
Sink = Callable[[dict[str, Any]], None]

#: Assertions of this session, in the order of arrival.
assertions: list[dict[str, Any]] = []

_sink: Sink | None = None
# Threads of an ordinary kernel report too. Re-entrant: a sink may run user code that reports.
lock = threading.RLock()


def install(sink: Sink | None) -> None:
    """Send all further events to `sink`. With None, the next event chooses a sink again."""
    global _sink
    with lock:
        close = getattr(_sink, "close", None)
        _sink = sink
    if close is not None:
        close()


def reset() -> None:
    """Forget this session's assertions and the sink. The next event chooses a sink again."""
    install(None)
    assertions.clear()


@contextmanager
def diverted(sink: Sink) -> Iterator[None]:
    """Send events in this block to `sink`. They are not added to this session's assertions."""
    global _sink, assertions
    with lock:
        before, mine = _sink, assertions
        _sink, assertions = sink, []
    try:
        yield
    finally:
        with lock:
            _sink, assertions = before, mine


def emit(kind: Literal["assertion", "artifact"], event: dict[str, Any]) -> None:
    """Send one event."""
    global _sink
    with lock:
        if kind == "assertion":
            assertions.append(dict(event))
        if _sink is None:
            _sink = _choose()
        _sink({"type": kind, "event": event})


def _choose() -> Sink:
    # If IPython is not loaded, there is no shell. Then do not import it, since that takes long.
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not _shows_bundles(shell):
        return print_event
    from ._notebook import NotebookSink

    return NotebookSink(shell, lock)


def _shows_bundles(shell: Any) -> bool:
    """Whether the shell belongs to a notebook. A terminal's publisher only prints ``text/plain``."""
    from IPython.core.displaypub import DisplayPublisher

    return getattr(shell, "display_pub_class", DisplayPublisher) is not DisplayPublisher


def print_event(message: dict[str, Any]) -> None:
    """Print one line. Characters that the terminal's encoding does not have become escapes."""
    line = event_line(message["type"], message["event"])
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding))
