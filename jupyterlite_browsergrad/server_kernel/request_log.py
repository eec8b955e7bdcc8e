"""What the runtime of a sandbox has to say, so much for each request."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from browsergrad.hosting import visible

__all__ = ["RequestLog"]

#: Characters of the log that one request may cause.
MOST_LOG = 100_000


class RequestLog:
    """Hands on level and text, without control characters.

    Parameters
    ----------
    on_log
        Who is called; None: nobody wants to know.
    """

    def __init__(self, on_log: Callable[[str, str], None] | None) -> None:
        self._on_log = on_log
        self._logged = 0

    def begin(self) -> None:
        """Count anew: another request begins."""
        self._logged = 0

    def __call__(self, level: str, text: str) -> None:
        """Hand on as much of `text` as there is room for."""
        room = MOST_LOG - self._logged
        self._logged += len(text) + 1
        if self._on_log is None or room <= 0:
            return
        with contextlib.suppress(Exception):  # there is nowhere left to say it
            self._on_log(level, visible(text if len(text) <= room else f"{text[:room]}… (the rest is left out)"))
