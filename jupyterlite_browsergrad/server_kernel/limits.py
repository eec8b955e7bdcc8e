"""What a sandbox may use."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """What a sandbox may use; None means no limit."""

    #: Seconds a cell may run.
    cell_s: float | None = None
    #: Bytes of Python's memory; beyond it Python raises MemoryError.
    memory_bytes: int = 2 << 30
    #: Bytes of output one cell may write.
    output_bytes: int = 32 << 20
    #: Bytes the shared folder may grow by.
    disk_bytes: int = 1 << 30
    #: Files that may be added to it.
    files: int = 10_000
    #: Bytes of the longest file there that is read or written.
    file_bytes: int = 1 << 28
    #: Bytes of the longest reply.
    reply_bytes: int = 32 << 20
    #: Seconds Python has to start.
    start_s: float = 60.0
