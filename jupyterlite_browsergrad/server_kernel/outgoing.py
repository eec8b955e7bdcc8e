"""The queue of frames that wait to be written to Deno."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import IO

__all__ = ["Outgoing"]

_Entry = tuple[list[bytes], Callable[[], None] | None]


class Outgoing:
    """A queue of frames, and the function of the thread that writes them.

    Attributes
    ----------
    held_bytes
        Bytes that wait. They count towards the sandbox's memory.
    """

    def __init__(self) -> None:
        self.held_bytes = 0
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()

    def put(self, pieces: list[bytes], written: Callable[[], None] | None = None) -> None:
        """Add a frame. `written` is called when all of it has been written to the pipe."""
        with self._lock:
            self.held_bytes += sum(map(len, pieces))
        self._queue.put((pieces, written))

    def close(self) -> None:
        """Make `write_to` return after the frames before this call."""
        self._queue.put(None)

    def write_to(self, pipe: IO[bytes]) -> None:
        """Write frames until `close` is called or the other end is closed. Then close the pipe."""
        with contextlib.suppress(OSError, ValueError):
            while (entry := self._queue.get()) is not None:
                pieces, written = entry
                for piece in pieces:
                    pipe.write(piece)
                pipe.flush()
                with self._lock:
                    self.held_bytes -= sum(map(len, pieces))
                if written is not None:
                    written()
                del entry, pieces
        with contextlib.suppress(OSError, ValueError):
            pipe.close()
