"""Holds what is running, and asks the worker about its interrupt."""

from __future__ import annotations

import time
from typing import Any, NamedTuple, Protocol

from .._host import IN_PYODIDE, host


class Snapshot(NamedTuple):
    """What the worker knows about the interrupt. ``interrupt_snapshot.ts`` has the same fields in the same order."""

    #: 1 if an interrupt has taken effect in the running request.
    was_hit: int
    #: 1 if the interrupt repeats until the request ends.
    is_storm: int
    #: 1 if no request runs, and the press is meant for one that cannot begin yet, or for whatever blocks the idle kernel.
    is_for_idle: int
    #: 1 if a request runs, and the signal is not meant for it, but for a task that blocks the event loop.
    is_watch: int
    #: The limit that the request has passed, in milliseconds; 0 if it has not passed one.
    limit_ms: int
    #: Milliseconds since the event loop last turned.
    loop_ms: int


def snapshot() -> Snapshot:
    """Ask the worker, with a single call of JavaScript."""
    return Snapshot._make(map(int, host.interrupt_snapshot().split()))


class RunningCell(Protocol):
    """What the other files ask of a cell; `cell.py` has the class."""

    task: Any
    is_started: bool
    is_running: bool
    is_cancelling: bool
    cancel_time: float

    def is_awaiting(self) -> bool: ...

    def cancel(self) -> None: ...

    def force(self) -> bool: ...


class State:
    """What is running, and how far Python has handled its interrupt."""

    def __init__(self) -> None:
        #: False on CPython, and while a memory snapshot is made. Then nobody interrupts, and no event loop runs.
        self.is_active = IN_PYODIDE
        #: Number of the running request; 0 while the kernel is idle.
        self.epoch = 0
        #: Pyodide's event loop, set by `install`.
        self.loop: Any = None
        #: The running cell.
        self.cell: RunningCell | None = None
        #: `perf_counter` when the pending interrupt was first offered; 0 if there is none.
        self.first_offer = 0.0
        #: The exception that the handler raised, until it has been seen outside of the handler.
        self.unseen: KeyboardInterrupt | None = None
        #: Epochs of cells that were interrupted. Tasks that they left behind may be stopped while the kernel is idle.
        self.interrupted_epochs: set[int] = set()
        #: Times (`perf_counter`) at which the open `uninterruptible` blocks lose their protection, outermost first.
        self.protected_until: list[float] = []
        #: Suspended `run_sync` calls of the cell, innermost last.
        self.sync_waits: list[Any] = []
        #: True before Pyodide 314. There CPython asks for signals at every 50th check, and cannot be made to ask more often.
        self.slow_clock = False

    def clear(self) -> None:
        """Forget what belongs to one request."""
        self.cell = None
        self.first_offer = 0.0
        self.unseen = None
        self.sync_waits.clear()
        self.protected_until.clear()

    def is_protected(self) -> bool:
        """Whether an `uninterruptible` block is open."""
        return bool(self.protected_until) and time.perf_counter() < self.protected_until[0]


#: The state of this interpreter.
current = State()


def was_hit() -> bool:
    """Whether an interrupt has taken effect in the running request."""
    return current.is_active and bool(snapshot().was_hit)


class uninterruptible:
    """``with uninterruptible():`` delays interrupts until the end of the block, for at most `limit` seconds.

    No interrupt is lost. The block may await.
    """

    def __init__(self, limit: float = 20) -> None:
        self.limit = limit

    def __enter__(self) -> uninterruptible:
        current.protected_until.append(time.perf_counter() + self.limit)
        return self

    def __exit__(self, *exc_info: object) -> None:
        if current.protected_until:
            current.protected_until.pop()
