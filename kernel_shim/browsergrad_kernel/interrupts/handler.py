"""Decides on each interrupt: at a signal, at a turn of the event loop, and when Python has lost the exception.

The worker offers an interrupt in one of two ways. ``host.interrupt_outcome`` tells it what Python has done with it.

While Python code runs, Pyodide turns the interrupt buffer into an ordinary signal. So `on_sigint` sees the running frame:

============= ===========================================================
frame         decision
============= ===========================================================
``USER``      raise ``KeyboardInterrupt``
``KERNEL``    defer; the interrupt is offered again in a millisecond
``TASK``      defer; raise if the task blocks the event loop
============= ===========================================================

While a cell awaits, there is no frame in which to raise. So the worker calls `on_idle` when its event loop turns.
"""

from __future__ import annotations

import random
import signal
import sys
import time
from types import FrameType
from typing import Any

from .._host import host
from .exceptions import interruption
from .frames import FrameKind, cell_epoch, classify, has_left_handler, is_soft
from .state import Snapshot, current, snapshot

#: Milliseconds for which a task of an earlier cell may block the loop before it is interrupted.
EARLIER_TASK_GRACE_MS = 500
#: The same for a task of the running cell. It is short, since the cell ends anyway. A task whose steps are shorter still is cancelled.
OWN_TASK_GRACE_MS = 2
#: Seconds for which an interrupt waits for a better moment inside asyncio's or importlib's own code.
SOFT_GRACE = 0.05
#: Seconds after which a cancellation seems to be ignored, so that a further press no longer waits for it.
CANCEL_GRACE = 0.2


def on_sigint(signum: int, frame: FrameType | None) -> None:
    """Handle SIGINT: raise in `frame`, or tell the worker to offer the interrupt again."""
    if frame is None:
        frame = sys._getframe(1)
    error = current.unseen
    if error is not None:
        current.unseen = None
        if not host.interrupt_outcome("seen" if has_left_handler(error) else "swallowed"):
            return
    kind = classify(frame)
    known = snapshot()
    if known.is_watch or not current.epoch:
        _watch(kind, known)
        return
    if not current.first_offer:
        current.first_offer = time.perf_counter()
    if kind is FrameKind.USER:
        _decide_in_user_code(frame, known)
    elif kind is FrameKind.TASK:
        _decide_in_task(known)
    else:
        host.interrupt_outcome("deferred")


def _watch(kind: FrameKind, known: Snapshot) -> None:
    """Stop a task that blocks the event loop, if an interrupt was meant for it or for what waits for the loop."""
    if kind is FrameKind.TASK and known.loop_ms > EARLIER_TASK_GRACE_MS and _is_unwanted(cell_epoch.get(), known):
        host.interrupt_outcome("stopped-task")
        raise KeyboardInterrupt
    host.interrupt_outcome("ignored")


def _is_unwanted(epoch: int, known: Snapshot) -> bool:
    """Whether a task of the cell `epoch` may be stopped, although no interrupt is offered to a cell."""
    if not current.epoch:  # Stop was pressed for it, or an interrupted cell has left it behind
        return bool(known.is_for_idle) or epoch in current.interrupted_epochs
    if epoch == current.epoch:  # it may have to end before its cell does
        return current.cell is not None and current.cell.is_cancelling
    return bool(known.was_hit) or epoch in current.interrupted_epochs  # the running cell waits for the loop


def _decide_in_user_code(frame: FrameType, known: Snapshot) -> None:
    if is_soft(frame) and time.perf_counter() - current.first_offer < SOFT_GRACE and not known.is_storm:
        host.interrupt_outcome("deferred")
        return
    if current.cell is not None:
        current.cell.is_cancelling = False
    _raise(known)


def _decide_in_task(known: Snapshot) -> None:
    is_own = cell_epoch.get() == current.epoch
    if known.loop_ms > (OWN_TASK_GRACE_MS if is_own else EARLIER_TASK_GRACE_MS):
        if is_own:
            # A task of this cell blocks the loop: cancel what the cell awaits, and stop the task.
            cell = current.cell
            if current.sync_waits:
                current.sync_waits.pop().interrupt()
            elif cell is not None and cell.is_awaiting() and not cell.is_cancelling:
                cell.cancel()
            _raise(known)
        host.interrupt_outcome("deferred")
        raise KeyboardInterrupt  # ends the task of the earlier cell; the running cell is interrupted later
    host.interrupt_outcome("deferred")


def _raise(known: Snapshot) -> None:
    current.first_offer = 0.0
    current.unseen = error = interruption(limit_ms=known.limit_ms)
    if current.slow_clock and known.is_storm:
        _shift_polls(50)
    host.interrupt_outcome("raised")
    raise error


def _shift_polls(checks: int) -> None:
    """Let a random number of checks pass. If CPython asks at a fixed distance, it may always ask at the same place of a loop."""
    for _ in range(random.randrange(checks)):
        pass


def on_idle(epoch: int, fresh: bool = True) -> str:
    """Handle an interrupt while no Python code runs. The worker calls this when its event loop turns.

    Parameters
    ----------
    epoch
        The request for which the interrupt is meant.
    fresh
        Whether Stop was pressed again since the last ``"wait"``.

    Returns
    -------
    str
        ``"wait"``: the cell was cancelled, but this has not taken effect yet. ``"defer"``: try again.
        ``"drop"``: there is nothing to stop.
    """
    if epoch != current.epoch:
        return "drop"
    if current.is_protected():
        return "defer"
    if current.sync_waits:
        current.sync_waits.pop().interrupt()
        return "wait"
    cell = current.cell
    if cell is None or not cell.is_started:
        return "defer"
    if cell.is_running:
        return "defer" if fresh else "wait"
    if cell.task.done():
        return "drop"
    if not cell.is_cancelling:
        cell.cancel()
        return "wait"
    if not fresh or time.perf_counter() - cell.cancel_time < CANCEL_GRACE:
        return "wait"
    return "wait" if cell.force() else "defer"


def on_unraisable(unraisable: Any) -> None:
    """``sys.unraisablehook``: Python has dropped an exception from ``__del__`` or from a callback of weakref or gc.

    If that was the interrupt, the worker is told to offer it again.
    """
    if unraisable.exc_type is not None and issubclass(unraisable.exc_type, KeyboardInterrupt):
        if current.epoch:
            current.unseen = None
            host.interrupt_outcome("lost")
            _shift_polls(60)
        return
    sys.__unraisablehook__(unraisable)


def poll() -> None:
    """Raise if an interrupt is pending. The replaced blocking calls use this."""
    if host.take_interrupt():
        on_sigint(signal.SIGINT, sys._getframe(1))


#: The functions of the signal handler.
HANDLER = (on_sigint, _watch, _is_unwanted, _decide_in_user_code, _decide_in_task, _raise)
