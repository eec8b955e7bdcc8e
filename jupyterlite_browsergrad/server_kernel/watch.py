"""Watches from outside whether a sandbox keeps to its limits."""

from __future__ import annotations

import time

from .deno_process import DenoProcess
from .limits import Limits
from .pending import Pending

__all__ = ["Watch"]

#: Bytes of a sandbox's memory beside Python's: Deno, the engine and compiled code.
OVERHEAD_BYTES = 768 << 20
#: Deno and the worker never need as many threads; only an attack starts them.
MAX_THREADS = 64


class Watch:
    """Finds out which limit a running sandbox exceeds."""

    def __init__(self, limits: Limits, process: DenoProcess, pending: Pending) -> None:
        self._limits = limits
        self._process = process
        self._pending = pending
        self._started = time.monotonic()
        self._most_bytes = limits.memory_bytes + OVERHEAD_BYTES
        self._most_threads = MAX_THREADS

    def excess(self, is_ready: bool) -> tuple[str, str] | None:
        """Return reason and cause for `Sandbox.kill` if a limit is exceeded."""
        memory, threads = self._process.usage()
        # Memory that this process holds because of the sandbox counts too.
        if memory + self._process.held_bytes + self._pending.received_bytes > self._most_bytes:
            return f"the sandbox used more memory than its limit of {self._most_bytes >> 20} MB", "memory"
        if threads > self._most_threads:
            return f"the sandbox started more than {self._most_threads} threads", "threads"
        if self._pending.is_late():
            return f"the cell ran longer than its limit of {self._pending.cell_s} s and did not end", "time"
        if not is_ready and time.monotonic() - self._started > self._limits.start_s:
            return f"Python did not start within {self._limits.start_s} s", "start"
        return None
