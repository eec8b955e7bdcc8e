"""The limits of a sandbox."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """The limits of a sandbox. None means no limit."""

    #: Seconds that a cell may run.
    cell_s: float | None = None
    #: Bytes of Python's memory. If it needs more, Python raises MemoryError.
    memory_bytes: int = 2 << 30
    #: Bytes of output that a cell may write.
    output_bytes: int = 32 << 20
    #: Bytes by which the shared folder may grow.
    disk_bytes: int = 1 << 30
    #: Number of files that may be added to it.
    files: int = 10_000
    #: Size of the largest file there that is read or written, in bytes.
    file_bytes: int = 1 << 28
    #: Size of the longest reply, in bytes.
    reply_bytes: int = 32 << 20
    #: Seconds that Python has to start.
    start_s: float = 60.0
