"""File requests of a sandbox to the folder it shares, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .folder import Folder
from .frames import FrameError

__all__ = ["FileRequests"]

#: Seconds in which Deno takes the answer to a file request before it may make another one.
TAKES_S = 10.0


class FileRequests:
    """Answers file requests; the next one is answered only after Deno has taken the answer.

    Parameters
    ----------
    folder
        What is shared.
    send
        Puts a frame and its buffers into the queue to Deno, and calls the last argument once they are taken.
    """

    def __init__(
        self, folder: Folder, send: Callable[[dict[str, Any], list[bytes], Callable[[], None]], object]
    ) -> None:
        self._folder = folder
        self._send = send
        #: Set while no answer is on its way.
        self._taken = threading.Event()
        self._taken.set()

    def answer(self, frame: dict[str, Any], buffers: list[bytes]) -> None:
        """Answer a request.

        Raises
        ------
        FrameError
            It came too early, or without an id.
        """
        number = frame.get("id")
        if type(number) is not int or not self._taken.wait(TAKES_S):
            raise FrameError("a file request before the answer to the last one was taken")
        self._taken.clear()
        answer, data = self._folder.answer(frame, buffers)
        self._send({"type": "drive", "id": number, "answer": answer}, data, self._taken.set)

    def close(self) -> None:
        """Give the folder back; who waits goes on."""
        self._taken.set()
        self._folder.close()
