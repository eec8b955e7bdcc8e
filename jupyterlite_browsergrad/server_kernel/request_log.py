"""The log of a sandbox's runtime, limited for each request."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from browsergrad.hosting import visible

__all__ = ["RequestLog"]

#: Characters of the log that a request may cause.
MAX_LOG = 100_000


class RequestLog:
    """Passes on level and text, without control characters.

    Parameters
    ----------
    on_log
        Called with them; None if there is no log.
    """

    def __init__(self, on_log: Callable[[str, str], None] | None) -> None:
        self._on_log = on_log
        self._logged = 0

    def begin(self) -> None:
        """Start to count again, since another request begins."""
        self._logged = 0

    def __call__(self, level: str, text: str) -> None:
        """Pass on as much of `text` as the limit allows."""
        room = MAX_LOG - self._logged
        self._logged += len(text) + 1
        if self._on_log is None or room <= 0:
            return
        with contextlib.suppress(Exception):  # an error of the log cannot be reported anywhere
            self._on_log(level, visible(text if len(text) <= room else f"{text[:room]}… (the rest is left out)"))
