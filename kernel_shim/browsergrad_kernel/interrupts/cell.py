"""Runs a cell as one task that can be cancelled."""

from __future__ import annotations

import asyncio
import collections.abc
import contextvars
import time
from typing import Any

from .._host import host
from .exceptions import interruption
from .frames import cell_epoch
from .state import current

#: All cells run in this context, so that a ContextVar set in one cell is seen by the next.
_cells_context = contextvars.copy_context()
#: The class of tasks for `eager_task`, kept here in case user code replaces `asyncio.Task`.
_Task = asyncio.Task


class Cell(collections.abc.Coroutine[Any, Any, Any]):
    """Wraps a cell's coroutine. When an interrupt has cancelled its task, the cell gets KeyboardInterrupt."""

    __slots__ = ("cancel_time", "coroutine", "has_waited", "is_cancelling", "is_running", "is_started", "task")

    def __init__(self, coroutine: Any) -> None:
        self.coroutine = coroutine
        #: The task that runs the cell, once it has started.
        self.task: Any = None
        self.is_started = False
        #: Whether code of the cell is on the stack. Otherwise the cell awaits something.
        self.is_running = False
        #: Whether the cell has awaited something, so that the event loop runs it.
        self.has_waited = False
        #: Whether an interrupt has cancelled the task, and the cell has not got the exception yet.
        self.is_cancelling = False
        #: `perf_counter` when the task was last cancelled.
        self.cancel_time = 0.0

    def send(self, value: Any) -> Any:
        if not self.is_started:
            self.task = asyncio.current_task()
        return self._step(self.coroutine.send, value)

    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> Any:
        error = typ if val is None else val
        if isinstance(error, type):
            error = error()
        if self.is_cancelling and isinstance(error, (asyncio.CancelledError, KeyboardInterrupt)):
            self.is_cancelling = False
            if not isinstance(error, KeyboardInterrupt):
                self.task.uncancel()
                error = interruption(awaiting=True)
            current.first_offer = 0.0
            host.interrupt_outcome("thrown")
        return self._step(self.coroutine.throw, error)

    def _step(self, step: Any, value: Any) -> Any:
        """Run the cell until it awaits something or ends."""
        self.is_started = self.is_running = True
        try:
            awaited = step(value)
        except BaseException:  # the cell has ended
            if self.has_waited and current.is_active:
                # The task now schedules who awaits it. Tasks that the cell has left behind may block the event loop.
                host.schedule_first()
            raise
        else:
            self.has_waited = True
            return awaited
        finally:
            self.is_running = False

    def close(self) -> None:
        self.coroutine.close()

    def __await__(self) -> Any:
        return (yield from self.coroutine.__await__())

    def is_awaiting(self) -> bool:
        """Whether the cell waits for something that can be cancelled."""
        return self.is_started and not self.is_running and not self.task.done()

    def cancel(self) -> None:
        """Cancel what the cell awaits. asyncio then calls `throw`."""
        self.is_cancelling = True
        self.cancel_time = time.perf_counter()
        self.task.cancel()

    def force(self) -> bool:
        """Raise in the cell at once, without waiting for what it awaits.

        Used for a second press on Stop, if the first cancellation was ignored: by a shield, or by a child that swallows
        CancelledError.

        Returns
        -------
        bool
            Whether the cell was awaiting something, so that this was possible.
        """
        future = self.task._fut_waiter
        if future is None:
            return False
        for callback, *_ in list(future._callbacks or ()):
            if getattr(callback, "__self__", None) is self.task or "wakeup" in repr(callback).lower():
                future.remove_done_callback(callback)
                failed = asyncio.get_event_loop().create_future()
                failed.set_exception(interruption(awaiting=True))
                callback(failed)
                failed.exception()  # retrieved, so that asyncio does not complain
                return True
        return False


async def run_cell(coroutine: Any) -> Any:
    """Run a cell's coroutine as one task that can be interrupted. Call this between `begin` and `end`."""
    if not current.is_active:
        return await coroutine
    for variable, value in contextvars.copy_context().items():
        _cells_context.run(variable.set, value)
    _cells_context.run(cell_epoch.set, current.epoch)
    current.cell = cell = Cell(coroutine)
    try:
        return await eager_task(cell, _cells_context)
    except (KeyboardInterrupt, SystemExit):
        # If a task's first step raises one of these two, nobody gets the task. asyncio would later
        # complain, in another cell, that its exception was never retrieved. So it is retrieved here.
        if cell.task is not None and cell.task.done() and not cell.task.cancelled():
            cell.task.exception()
        raise


def eager_task(coroutine: Any, context: contextvars.Context | None = None) -> asyncio.Task[Any]:
    """Return a task that runs at once, up to its first wait.

    If the event loop started the task, this would take one turn of the loop before the cell and one after it.
    """
    options: Any = {"eager_start": True}  # since Python 3.12
    return _Task(coroutine, loop=asyncio.get_running_loop(), context=context, **options)


def enter_loop() -> None:
    """Set the running event loop for this call.

    Pyodide 314 gives each call that may be suspended a thread state of its own, in which no event loop is set.
    """
    for name in ("_install_running_loop", "_install_asyncgen_hooks"):
        getattr(current.loop, name, lambda: None)()
