"""Whether a sandbox has ended, and why."""

from __future__ import annotations

import threading

from browsergrad.hosting import visible

__all__ = ["Ending"]


class Ending:
    """The end of one sandbox; several threads may come to it at the same time."""

    def __init__(self) -> None:
        self.reason: str | None = None
        #: ``asked``, ``start``, ``time``, ``memory``, ``output``, ``threads`` or ``crash``; None before it is known.
        self.cause: str | None = None
        #: Set once nothing more comes from the sandbox.
        self.reached = threading.Event()
        self._taken = False
        self._lock = threading.Lock()

    def note(self, reason: str, cause: str) -> None:
        """Note why the sandbox ends; what is said first counts."""
        with self._lock:
            if self.reason is None:
                self.reason, self.cause = visible(reason), cause

    def take(self) -> bool:
        """Tell the first caller, and no other, that it has to clear up."""
        with self._lock:
            first, self._taken = not self._taken, True
        return first
