"""Answers the file requests of a sandbox, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from .folder import Folder
from .frames import FrameError

__all__ = ["FileRequests"]

#: Seconds that Deno has to take the answer to a file request.
TAKES_S = 10.0


class FileRequests:
    """Answers file requests. Deno must take an answer before the next request is answered.

    Parameters
    ----------
    folder
        The folder that the sandbox shares.
    send
        Puts a frame and its buffers into the queue to Deno, and calls its last argument once Deno has taken them.
    """

    def __init__(
        self, folder: Folder, send: Callable[[dict[str, Any], list[bytes], Callable[[], None]], object]
    ) -> None:
        self._folder = folder
        self._send = send
        #: Set while Deno has no answer to take.
        self._taken = threading.Event()
        self._taken.set()

    def answer(self, frame: dict[str, Any], buffers: list[bytes]) -> None:
        """Answer a request.

        Raises
        ------
        FrameError
            It came too early, or has no id.
        """
        number = frame.get("id")
        if type(number) is not int or not self._taken.wait(TAKES_S):
            raise FrameError("a file request before the answer to the last one was taken")
        self._taken.clear()
        answer, data = self._folder.answer(frame, buffers)
        self._send({"type": "drive", "id": number, "answer": answer}, data, self._taken.set)

    def close(self) -> None:
        """Close the folder, and end all waits for Deno."""
        self._taken.set()
        self._folder.close()
