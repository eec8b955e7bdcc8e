"""Decides at every SIGINT whether to raise in the frame that was interrupted.

Pyodide turns the interrupt buffer into an ordinary Python signal. So the handler in this module
sees the frame that was running:

==== ============================================================ =============================
USER cell code below ``run_code``, or below :func:`call`          raise ``KeyboardInterrupt``
GLUE bookkeeping of the kernel, IPython and the event loop        defer; it is offered again in 1 ms
BG   code of a cell, run by the event loop (a task or a callback) defer; raise if it blocks the loop
==== ============================================================ =============================

An awaiting cell has no frame in which to raise. So the worker's pump calls :func:`on_idle` when its event
loop runs. That cancels the cell's task, and :class:`_Cell` turns the cancellation into a
``KeyboardInterrupt``. A raised exception is remembered until it is seen outside the handler, since
C code may swallow it. On CPython, this module does nothing, and the default handler does the work.
"""

from __future__ import annotations

import asyncio
import collections.abc
import contextvars
import random
import signal
import sys
import time
from types import CodeType, FrameType
from typing import Any

from ._host import IN_PYODIDE as IN_PYODIDE  # `snapshot` sets it
from ._host import host

USER, GLUE, BG = 1, 2, 3

#: Seconds a task of an earlier cell may block the loop before it is interrupted.
BACKGROUND_GRACE = 0.5
#: The same for a task of the running cell. It is short, since the cell ends anyway; a task whose step is shorter can be cancelled.
OWN_TASK_GRACE = 0.002
#: Seconds an interrupt waits for a better moment inside asyncio's or importlib's own code.
SOFT_GRACE = 0.05
#: Seconds between two checks whether a cancellation is being ignored.
CANCEL_GRACE = 0.2

#: Epoch of the cell that created the running task.
_cell_epoch: contextvars.ContextVar[int] = contextvars.ContextVar("browsergrad_cell_epoch", default=0)
#: All cells run in this context, so that a ContextVar set in one cell is seen by the next.
_cells_context = contextvars.copy_context()

#: Code objects of functions that call the user's compiled code directly.
RUN_CODE_FUNCTIONS: set[CodeType] = set()
#: Code objects of functions: everything that they call may be interrupted.
_REGIONS: set[CodeType] = set()
#: Code objects of functions that may not be interrupted, nor code of ours that they call.
_CRITICAL: set[CodeType] = set()
#: Code objects of the handler itself.
_HANDLER: set[CodeType] = set()
_CELL_FILES: set[str] = set()
_SOFT_FILES: set[str] = set()


class CellTimeoutError(KeyboardInterrupt):
    """The cell ran longer than its limit.

    It is a KeyboardInterrupt, so that ``except Exception`` does not catch it.
    """

    __module__ = "builtins"  # tracebacks show the bare name


class _Interrupted(asyncio.CancelledError, KeyboardInterrupt):
    """The exception that an interrupted await raises.

    The user's ``except KeyboardInterrupt`` catches it. So does ``except CancelledError``, on which the
    cleanup of TaskGroup, timeout and wait_for depends.
    """


class _TimedOut(asyncio.CancelledError, CellTimeoutError):
    """The same, if the cell ran longer than its limit."""


for _class, _alias in ((_Interrupted, KeyboardInterrupt), (_TimedOut, CellTimeoutError)):
    _class.__name__ = _class.__qualname__ = _alias.__name__
    _class.__module__ = "builtins"


def interruption(awaiting: bool = False) -> KeyboardInterrupt:
    """The exception that ends the cell, after a press on Stop or at its time limit."""
    limit_ms = host.timed_out()
    if limit_ms:
        text = f"the cell ran longer than its limit of {limit_ms / 1000:g} s"
        return _TimedOut(text) if awaiting else CellTimeoutError(text)
    return _Interrupted() if awaiting else KeyboardInterrupt()


def itself(error: BaseException) -> BaseException:
    """`error`; or the interrupt that caused it, if that went through JavaScript or C code turned it into a SystemError."""
    if not IN_PYODIDE or not host.was_hit():
        return error
    if isinstance(error, SystemError):
        lost = isinstance(error.__cause__, KeyboardInterrupt)
    else:
        names = ("KeyboardInterrupt", "CellTimeoutError")
        lost = type(error).__name__ == "JsException" and getattr(error, "type", None) in names
    return interruption().with_traceback(error.__traceback__) if lost else error


def limit(seconds: float) -> None:
    """End the running cell with `CellTimeoutError` after `seconds`."""
    if IN_PYODIDE:
        host.limit(max(1, round(seconds * 1000)))


class _Cell(collections.abc.Coroutine[Any, Any, Any]):
    """Wraps a cell's coroutine. Turns a cancellation by an interrupt into KeyboardInterrupt."""

    __slots__ = ("coroutine", "interrupting", "running", "since", "started", "task")

    def __init__(self, coroutine: Any) -> None:
        self.coroutine = coroutine
        self.task: Any = None
        self.started = self.running = self.interrupting = False
        self.since = 0.0

    def send(self, value: Any) -> Any:
        if not self.started:
            self.task = asyncio.current_task()
        self.started = self.running = True
        try:
            return self.coroutine.send(value)
        finally:
            self.running = False

    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> Any:
        error = typ if val is None else val
        if isinstance(error, type):
            error = error()
        if self.interrupting and isinstance(error, (asyncio.CancelledError, KeyboardInterrupt)):
            self.interrupting = False
            if not isinstance(error, KeyboardInterrupt):
                self.task.uncancel()
                error = interruption(awaiting=True)
            _state.first = 0.0
            host.delivered(2)
        self.started = self.running = True
        try:
            return self.coroutine.throw(error)
        finally:
            self.running = False

    def close(self) -> None:
        self.coroutine.close()

    def __await__(self) -> Any:
        return (yield from self.coroutine.__await__())


class _State:
    """What is running, and the state of its interrupt."""

    def __init__(self) -> None:
        self.epoch = 0
        #: Pyodide's event loop, set by `install`.
        self.loop: Any = None
        self.cell: _Cell | None = None
        #: `perf_counter` when the pending interrupt was first offered; 0 if there is none.
        self.first = 0.0
        #: Epochs of cells that were interrupted. Tasks that they left behind may be stopped while the kernel is idle.
        self.killed: set[int] = set()
        #: Times (`perf_counter`) at which the open `uninterruptible` blocks lose their protection.
        self.atomic: list[float] = []
        #: The KeyboardInterrupt that the handler raised, until it has been seen outside the handler.
        self.inflight: KeyboardInterrupt | None = None
        #: Suspended run_sync calls of the cell, innermost last.
        self.sync_waits: list[Any] = []
        #: True before Pyodide 314, where the buffer is polled every 50 checks, and cannot be polled more often.
        self.slow_clock = False

    def clear(self) -> None:
        self.cell = None
        self.first = 0.0
        self.inflight = None
        self.sync_waits.clear()
        self.atomic.clear()


_state = _State()


def _is_atomic() -> bool:
    return bool(_state.atomic) and time.perf_counter() < _state.atomic[0]


def _classify(frame: FrameType | None) -> int:
    if _is_atomic():
        return GLUE
    seen_user = False
    while frame is not None:
        code = frame.f_code
        if code in _CRITICAL and not seen_user:
            return GLUE
        if code in _REGIONS:
            return USER
        if code in RUN_CODE_FUNCTIONS:
            return USER if seen_user else GLUE
        if not seen_user and code.co_filename in _CELL_FILES:
            seen_user = True
        frame = frame.f_back
    return BG if seen_user else GLUE


def _raise() -> None:
    _state.first = 0.0
    _state.inflight = error = interruption()
    if _state.slow_clock and host.storming():
        # Polls come at fixed distances, and may always meet the same place of the user's loop: shift them at random.
        for _ in range(random.randrange(50)):
            pass
    host.delivered(1)
    raise error


def _on_sigint(signum: int, frame: FrameType | None) -> None:
    state = _state
    if frame is None:
        frame = sys._getframe(1)
    error = state.inflight
    if error is not None:
        # Did the previous KeyboardInterrupt reach a frame outside this handler? C code may have
        # dropped it: `int("a")` formats its error, which runs PyErr_CheckSignals inside repr,
        # and the next PyErr_Format clears the exception. A traceback begins with its outermost
        # frame. If that is the handler, the exception has never left it.
        state.inflight = None
        traceback = error.__traceback__
        if traceback is None or traceback.tb_frame.f_code not in _HANDLER:
            if host.verified():
                return
        else:
            host.hot()
    now = time.perf_counter()
    kind = _classify(frame)
    if not state.epoch:
        # The kernel is idle. Only a task that blocks the loop is stopped, and only if Stop was pressed
        # for it or an interrupted cell left it behind.
        if (
            kind == BG
            and host.loop_stuck(BACKGROUND_GRACE * 1000)
            and (host.idle_asked() or _cell_epoch.get() in state.killed)
        ):
            host.background_stopped()
            raise KeyboardInterrupt
        host.ignored()
        return
    if not state.first:
        state.first = now
    if kind == USER:
        soft = frame.f_code.co_filename in _SOFT_FILES and now - state.first < SOFT_GRACE
        if soft and not host.storming():
            host.defer()
            return
        if state.cell is not None:
            state.cell.interrupting = False
        _raise()
    if kind == BG:
        own = _cell_epoch.get() == state.epoch
        if host.loop_stuck((OWN_TASK_GRACE if own else BACKGROUND_GRACE) * 1000):
            if own:
                # A task of this cell blocks the loop: cancel what the cell awaits, and stop the task.
                cell = state.cell
                if state.sync_waits:
                    state.sync_waits.pop().interrupt()
                elif (
                    cell is not None
                    and cell.started
                    and not cell.running
                    and not cell.task.done()
                    and not cell.interrupting
                ):
                    cell.interrupting = True
                    cell.since = now
                    cell.task.cancel()
                _raise()
            host.defer()
            raise KeyboardInterrupt
    host.defer()


def on_idle(epoch: int, fresh: bool = True) -> str:
    """Handle an interrupt while no Python code runs. The worker's pump calls this when its event loop runs.

    Parameters
    ----------
    epoch
        The request for which the interrupt is meant.
    fresh
        Whether Stop was pressed again since the last ``"wait"``.

    Returns
    -------
    str
        ``"wait"``: the cell was cancelled, which has not taken effect yet. ``"defer"``: try again.
        ``"drop"``: there is nothing to stop.
    """
    state = _state
    if epoch != state.epoch:
        return "drop"
    if _is_atomic():
        return "defer"
    if state.sync_waits:
        state.sync_waits.pop().interrupt()
        return "wait"
    cell = state.cell
    if cell is None or not cell.started:
        return "defer"
    if cell.running:
        return "defer" if fresh else "wait"
    if cell.task.done():
        return "drop"
    now = time.perf_counter()
    if cell.interrupting:
        if not fresh or now - cell.since < CANCEL_GRACE:
            return "wait"
        return "wait" if _force_throw(cell) else "defer"
    cell.interrupting = True
    cell.since = now
    cell.task.cancel()
    return "wait"


def _force_throw(cell: _Cell) -> bool:
    """Raise in the cell at once, without waiting for what it awaits.

    Used for a second press, if the first cancellation is ignored (by a shield, or by a child that swallows
    CancelledError).

    Returns
    -------
    bool
        Whether the cell was awaiting something, so that this was possible.
    """
    task = cell.task
    future = task._fut_waiter
    if future is None:
        return False
    for callback, *_ in list(future._callbacks or ()):
        if getattr(callback, "__self__", None) is task or "wakeup" in repr(callback).lower():
            future.remove_done_callback(callback)
            failed = asyncio.get_event_loop().create_future()
            failed.set_exception(interruption(awaiting=True))
            callback(failed)
            failed.exception()
            return True
    return False


def _unraisable(unraisable: Any) -> None:
    # Python drops a KeyboardInterrupt that is raised in __del__ or in a weakref or gc callback. Offer it again.
    if unraisable.exc_type is not None and issubclass(unraisable.exc_type, KeyboardInterrupt):
        if _state.epoch:
            _state.inflight = None
            host.undeliver()
            for _ in range(random.randrange(60)):
                pass
        return
    sys.__unraisablehook__(unraisable)


def poll() -> None:
    """Raise if an interrupt is pending. The replaced blocking calls use this."""
    if host.take():
        _on_sigint(signal.SIGINT, sys._getframe(1))


def _region(function: Any, args: tuple[Any, ...]) -> Any:
    return function(*args)


class uninterruptible:
    """``with uninterruptible():`` delays interrupts until the end of the block, for at most `limit` seconds.

    No interrupt is lost. The block may await.
    """

    def __init__(self, limit: float = 20) -> None:
        self.limit = limit

    def __enter__(self) -> uninterruptible:
        _state.atomic.append(time.perf_counter() + self.limit)
        return self

    def __exit__(self, *exc_info: object) -> None:
        if _state.atomic:
            _state.atomic.pop()


def register_cell_file(filename: str) -> None:
    """Treat code with the file name `filename` as the user's."""
    _CELL_FILES.add(filename)


def is_cell_file(filename: str) -> bool:
    """Whether code with the file name `filename` is the user's."""
    return filename in _CELL_FILES


def cell_starts_now() -> None:
    """Tell the worker that user code starts. It polls often until it knows how fast the code is."""
    if IN_PYODIDE:
        host.user_start()


def begin(epoch: int, request: bool = False) -> None:
    """Accept interrupts for `epoch` from now on.

    Parameters
    ----------
    epoch
        Number of the request. Numbers increase and are never 0.
    request
        True for requests that run no cell. IPython's completer swallows KeyboardInterrupt, so
        the interrupt of such a request is offered again until the request ends.
    """
    _state.clear()
    _state.epoch = epoch
    if IN_PYODIDE:
        if signal.getsignal(signal.SIGINT) is not _on_sigint:
            signal.signal(signal.SIGINT, _on_sigint)
        host.begin(epoch, request)


def end(epoch: int) -> None:
    """Stop accepting interrupts for `epoch`."""
    if IN_PYODIDE and host.was_hit():
        _state.killed.add(epoch)
    _state.epoch = 0
    _state.clear()
    if IN_PYODIDE:
        host.end(epoch)


def call(function: Any, *args: Any) -> Any:
    """Run a synchronous function that may be interrupted anywhere.

    Raises
    ------
    KeyboardInterrupt
        The function was interrupted.
    """
    return _region(function, args)


async def run_cell(coroutine: Any) -> Any:
    """Run a cell's coroutine as one task that can be interrupted. Call this between `begin` and `end`."""
    if not IN_PYODIDE:
        return await coroutine
    for variable, value in contextvars.copy_context().items():
        _cells_context.run(variable.set, value)
    _cells_context.run(_cell_epoch.set, _state.epoch)
    _state.cell = cell = _Cell(coroutine)
    try:
        return await eager_task(cell, _cells_context)
    except (KeyboardInterrupt, SystemExit):
        # If a task's first step raises one of these two, nobody gets the task. asyncio would later
        # complain, in another cell, that its exception was never retrieved. So it is retrieved here.
        if cell.task is not None and cell.task.done() and not cell.task.cancelled():
            cell.task.exception()
        raise


#: The class of tasks for `eager_task`, kept here in case user code replaces `asyncio.Task`.
_Task = asyncio.Task


def eager_task(coroutine: Any, context: contextvars.Context | None = None) -> asyncio.Task[Any]:
    """A task that runs at once, up to its first wait. A task that the loop starts would take a turn of the loop before, and one after."""
    options: Any = {"eager_start": True}  # since Python 3.12
    return _Task(coroutine, loop=asyncio.get_running_loop(), context=context, **options)


def enter_loop() -> None:
    """Set the running event loop for this call. Pyodide 314 gives each call that may be suspended a thread state of its own, without it."""
    for name in ("_install_running_loop", "_install_asyncgen_hooks"):
        getattr(_state.loop, name, lambda: None)()


def _function_codes(owner: Any, names: Any) -> set[CodeType]:
    codes = set()
    for name in names:
        code = getattr(getattr(owner, name, None), "__code__", None)
        if code is not None:
            codes.add(code)
    return codes


def install() -> None:
    """Install the handler of SIGINT. Does nothing on CPython."""
    if not IN_PYODIDE:
        return
    import _weakrefset
    import threading
    import weakref

    import pyodide.webloop as webloop

    _state.slow_clock = host.slow_clock()
    asyncio_modules = [module for name, module in sys.modules.items() if name.startswith("asyncio.")]
    for module in (*asyncio_modules, webloop, _weakrefset, weakref, threading):
        # A module from an archive has the name of its compiled file; code objects have that of the source.
        _SOFT_FILES.add((getattr(module, "__file__", None) or "").replace(".pyc", ".py"))
    # C code calls the checks of abc, and may lose an exception that is raised there.
    _SOFT_FILES.update(("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>", "<frozen abc>"))
    _SOFT_FILES.discard("")
    _REGIONS.add(_region.__code__)
    _HANDLER.update(function.__code__ for function in (_on_sigint, _raise, poll))
    _CRITICAL.update(
        function.__code__ for function in (_on_sigint, _raise, on_idle, _force_throw, begin, end, _unraisable)
    )
    _CRITICAL.update(
        _function_codes(
            webloop.WebLoop,
            ("call_soon", "call_later", "call_at", "create_future", "create_task", "_decrement_in_progress"),
        )
    )
    # An interrupt after the group has created a task, but before it has registered a callback for its end, would make
    # the group wait for ever.
    _CRITICAL.update(_function_codes(asyncio.TaskGroup, ("create_task",)))
    webloop.scheduleCallback = host.schedule
    sys.unraisablehook = _unraisable
    _state.loop = asyncio.get_event_loop()
    # A KeyboardInterrupt of a background task must not reach JavaScript as an error.
    _state.loop._keyboard_interrupt_handler = lambda: None
    signal.signal(signal.SIGINT, _on_sigint)


def protect(*functions: Any) -> None:
    """Mark functions that must not be interrupted. User code that they call can be."""
    for function in functions:
        code = getattr(function, "__code__", None)
        if code is not None:
            _CRITICAL.add(code)
