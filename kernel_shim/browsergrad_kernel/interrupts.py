"""Decide, at every SIGINT, whether the interrupted frame is the user's to be ended.

Pyodide turns the interrupt buffer into an ordinary Python signal, so the handler installed here
sees the frame that was running:

==== ============================================================ =============================
USER cell code below ``run_code``, or below :func:`call`          raise ``KeyboardInterrupt``
GLUE kernel, IPython and event-loop bookkeeping                   defer, offered again within 1 ms
BG   code of a cell, run by the event loop (a task or a callback) defer; raise if it blocks the loop
==== ============================================================ =============================

An awaiting cell has no frame to raise in: the worker's pump calls :func:`on_idle` when its event
loop turns, and the cell's task is cancelled; :class:`_Cell` turns that cancellation into a
``KeyboardInterrupt``. A raised exception is remembered until it is seen outside the handler, since
C code may swallow it. On CPython all of this is inert and the default handler does the work.
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
#: The same for a task of the running cell: the cell ends either way, and a short step leaves its task to be cancelled.
OWN_TASK_GRACE = 0.002
#: Seconds an interrupt waits for a better moment inside asyncio's or importlib's own code.
SOFT_GRACE = 0.05
#: Seconds between two looks at a cancellation that is being ignored.
CANCEL_GRACE = 0.2

#: Epoch of the cell that created the running task.
_cell_epoch: contextvars.ContextVar[int] = contextvars.ContextVar("browsergrad_cell_epoch", default=0)
#: All cells run in this context, so that a ContextVar set in one cell is seen by the next.
_cells_context = contextvars.copy_context()

#: Code objects of functions that call the user's compiled code directly.
RUN_CODE_FUNCTIONS: set[CodeType] = set()
#: Code objects below which everything may be interrupted.
_REGIONS: set[CodeType] = set()
#: Code objects inside which nothing may be interrupted.
_CRITICAL: set[CodeType] = set()
#: Code objects of the handler itself.
_HANDLER: set[CodeType] = set()
_CELL_FILES: set[str] = set()
_SOFT_FILES: set[str] = set()


class CellTimeoutError(KeyboardInterrupt):
    """The cell ran longer than its limit.

    A KeyboardInterrupt, so that no ``except Exception`` catches it.
    """

    __module__ = "builtins"  # tracebacks show the bare name


class _Interrupted(asyncio.CancelledError, KeyboardInterrupt):
    """What an interrupted await raises.

    ``except KeyboardInterrupt`` of the user catches it, and so do the ``except CancelledError``
    clauses that TaskGroup, timeout and wait_for need to unwind.
    """


class _TimedOut(asyncio.CancelledError, CellTimeoutError):
    """The same for a cell that ran longer than its limit."""


for _class, _alias in ((_Interrupted, KeyboardInterrupt), (_TimedOut, CellTimeoutError)):
    _class.__name__ = _class.__qualname__ = _alias.__name__
    _class.__module__ = "builtins"


def interruption(awaiting: bool = False) -> KeyboardInterrupt:
    """The exception that ends the cell: somebody pressed Stop, or its time is over."""
    limit_ms = host.timed_out()
    if limit_ms:
        text = f"the cell ran longer than its limit of {limit_ms / 1000:g} s"
        return _TimedOut(text) if awaiting else CellTimeoutError(text)
    return _Interrupted() if awaiting else KeyboardInterrupt()


def itself(error: BaseException) -> BaseException:
    """`error`, or the interrupt it stands for: one that went through JavaScript, or that C code mistook."""
    if not IN_PYODIDE or not host.was_hit():
        return error
    if isinstance(error, SystemError):
        lost = isinstance(error.__cause__, KeyboardInterrupt)
    else:
        names = ("KeyboardInterrupt", "CellTimeoutError")
        lost = type(error).__name__ == "JsException" and getattr(error, "type", None) in names
    return interruption().with_traceback(error.__traceback__) if lost else error


def limit(seconds: float) -> None:
    """Let the running cell end with `CellTimeoutError` after `seconds` from now."""
    if IN_PYODIDE:
        host.limit(max(1, round(seconds * 1000)))


class _Cell(collections.abc.Coroutine[Any, Any, Any]):
    """Wraps a cell's coroutine; turns the cancellation we asked for into KeyboardInterrupt."""

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
    """What is running now."""

    def __init__(self) -> None:
        self.epoch = 0
        #: Pyodide's, set by `install`.
        self.loop: Any = None
        self.cell: _Cell | None = None
        #: perf_counter of the first offer of the present interrupt.
        self.first = 0.0
        #: Epochs of cells that were interrupted: their left-over tasks may be stopped while idle.
        self.killed: set[int] = set()
        #: Deadlines of the open uninterruptible blocks.
        self.atomic: list[float] = []
        #: KeyboardInterrupt raised by the handler and not yet seen outside it.
        self.inflight: KeyboardInterrupt | None = None
        #: Suspended run_sync calls of the cell, innermost last.
        self.sync_waits: list[Any] = []
        #: Before Pyodide 314 the buffer is polled every 50 checks and can't be polled faster.
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
        # Polls come at a fixed distance: break the phase lock with the user's loop.
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
        # thrown it away: `int("a")` formats its error, which runs PyErr_CheckSignals inside repr,
        # and the next PyErr_Format clears what that raised. The outermost entry comes first, so
        # a traceback that starts in the handler has never left it.
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
        # Idle: only a task that blocks the loop is stopped, and only when asked for or when it
        # was left behind by an interrupted cell.
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
                # A task of this cell blocks the loop: cancel what the cell awaits, stop the task.
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
    """Called by the worker's pump when its event loop turns with an interrupt in hand.

    Parameters
    ----------
    epoch
        The request the interrupt is meant for.
    fresh
        Whether there was a new press since the last ``"wait"``.

    Returns
    -------
    str
        ``"wait"``: a stop was requested and has not taken effect yet; ``"defer"``: try again;
        ``"drop"``: nothing is left to stop.
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
    """Throw into the cell without waiting for what it awaits.

    For a second press while the first cancellation is ignored (shield, a child that swallows
    CancelledError).
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
    # A KeyboardInterrupt raised inside __del__, a weakref or a gc callback would be lost.
    if unraisable.exc_type is not None and issubclass(unraisable.exc_type, KeyboardInterrupt):
        if _state.epoch:
            _state.inflight = None
            host.undeliver()
            for _ in range(random.randrange(60)):
                pass
        return
    sys.__unraisablehook__(unraisable)


def poll() -> None:
    """Check point of the patched blocking calls: raises if an interrupt is in hand."""
    if host.take():
        _on_sigint(signal.SIGINT, sys._getframe(1))


def _region(function: Any, args: tuple[Any, ...]) -> Any:
    return function(*args)


class uninterruptible:
    """``with uninterruptible():`` holds interrupts back, at most `limit` seconds; none is lost.

    The body may await.
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
    """Code compiled under `filename` is the user's."""
    _CELL_FILES.add(filename)


def is_cell_file(filename: str) -> bool:
    """Whether code of `filename` is the user's."""
    return filename in _CELL_FILES


def cell_starts_now() -> None:
    """The user's code runs from here: poll closely until its pace is known."""
    if IN_PYODIDE:
        host.user_start()


def begin(epoch: int, request: bool = False) -> None:
    """Interrupts addressed to `epoch` count from now on.

    Parameters
    ----------
    epoch
        Number of the request, never 0, increasing.
    request
        True for requests other than execute: IPython's completer swallows KeyboardInterrupt, so
        theirs is offered until the request ends.
    """
    _state.clear()
    _state.epoch = epoch
    if IN_PYODIDE:
        if signal.getsignal(signal.SIGINT) is not _on_sigint:
            signal.signal(signal.SIGINT, _on_sigint)
        host.begin(epoch, request)


def end(epoch: int) -> None:
    """No interrupt addressed to `epoch` counts any more."""
    if IN_PYODIDE and host.was_hit():
        _state.killed.add(epoch)
    _state.epoch = 0
    _state.clear()
    if IN_PYODIDE:
        host.end(epoch)


def call(function: Any, *args: Any) -> Any:
    """Run a synchronous request, interruptible as a whole.

    Raises
    ------
    KeyboardInterrupt
        When the request was interrupted.
    """
    return _region(function, args)


async def run_cell(coroutine: Any) -> Any:
    """Run a cell's coroutine as one task with interrupt delivery, between `begin` and `end`."""
    if not IN_PYODIDE:
        return await coroutine
    for variable, value in contextvars.copy_context().items():
        _cells_context.run(variable.set, value)
    _cells_context.run(_cell_epoch.set, _state.epoch)
    _state.cell = cell = _Cell(coroutine)
    try:
        return await eager_task(cell, _cells_context)
    except (KeyboardInterrupt, SystemExit):
        # These two leave a task's very first step at once: nobody got the task, and asyncio would
        # complain, in a later cell, that nobody took its exception.
        if cell.task is not None and cell.task.done() and not cell.task.cancelled():
            cell.task.exception()
        raise


#: What `run_cell` and `receive` make, whatever is done to asyncio later.
_Task = asyncio.Task


def eager_task(coroutine: Any, context: contextvars.Context | None = None) -> asyncio.Task[Any]:
    """A task that has run up to its first wait: one that the loop starts costs a turn before, and one after."""
    options: Any = {"eager_start": True}  # since Python 3.12
    return _Task(coroutine, loop=asyncio.get_running_loop(), context=context, **options)


def enter_loop() -> None:
    """Make this call one of the event loop's: Pyodide 314 gives each that may be suspended a thread state of its own."""
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
    """Take over SIGINT. Does nothing on CPython."""
    if not IN_PYODIDE:
        return
    import _weakrefset
    import threading
    import weakref

    import pyodide.webloop as webloop

    _state.slow_clock = host.slow_clock()
    asyncio_modules = [module for name, module in sys.modules.items() if name.startswith("asyncio.")]
    for module in (*asyncio_modules, webloop, _weakrefset, weakref, threading):
        # Out of an archive, a module's file is the compiled one; its code names the source.
        _SOFT_FILES.add((getattr(module, "__file__", None) or "").replace(".pyc", ".py"))
    # C code calls abc's checks and may lose what they raise.
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
    # Interrupted between making a task and asking to be told of its end, a group waits for it for ever.
    _CRITICAL.update(_function_codes(asyncio.TaskGroup, ("create_task",)))
    webloop.scheduleCallback = host.schedule
    sys.unraisablehook = _unraisable
    _state.loop = asyncio.get_event_loop()
    # A KeyboardInterrupt of a background task must not reach JavaScript as an error.
    _state.loop._keyboard_interrupt_handler = lambda: None
    signal.signal(signal.SIGINT, _on_sigint)


def protect(*functions: Any) -> None:
    """Nothing may be interrupted directly inside these functions."""
    for function in functions:
        code = getattr(function, "__code__", None)
        if code is not None:
            _CRITICAL.add(code)
