"""Notes whether a sandbox has ended, and why."""

from __future__ import annotations

import threading

from browsergrad.hosting import visible

__all__ = ["Ending"]


class Ending:
    """The end of one sandbox. Several threads may note it at the same time."""

    def __init__(self) -> None:
        self.reason: str | None = None
        #: ``asked``, ``start``, ``time``, ``memory``, ``output``, ``threads`` or ``crash``; None before it is known.
        self.cause: str | None = None
        #: Set when the sandbox sends nothing more.
        self.reached = threading.Event()
        self._taken = False
        self._lock = threading.Lock()

    def note(self, reason: str, cause: str) -> None:
        """Note why the sandbox ends. Only the first reason counts."""
        with self._lock:
            if self.reason is None:
                self.reason, self.cause = visible(reason), cause

    def take(self) -> bool:
        """Return True for the first caller, which has to clean up, and False for all others."""
        with self._lock:
            first, self._taken = not self._taken, True
        return first
