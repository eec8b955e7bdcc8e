"""Makes blocking calls interruptible: ``time.sleep``, ``input``, ``run_sync``.

In cross-origin isolated pages and in Deno, they wait on shared memory. Elsewhere they suspend the stack, if the engine
can do that (JSPI). If it cannot, they ask the page through the service worker.
"""

from __future__ import annotations

import asyncio
import builtins
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from . import interrupts
from ._host import IN_PYODIDE, host
from .interrupts import current


def _pyodide_can_run_sync() -> bool:
    return False


#: Pyodide's own ``run_sync``, and the one that replaces it. Both are set by `install`.
_pyodide_run_sync: Callable[[Any], Any]
_run_sync: Callable[[Any], Any]

#: Milliseconds between two checks whether the page can take more output, where Python is not woken when it can.
TURN_MS = 20

#: Text of the ``SystemError`` with which Pyodide refuses to suspend, although it said before that it could. It had
#: mistaken the way in which Python was called.
REFUSED = "Cannot stack switch"

#: How calls wait: "shared-memory", "stack-switching", "service-worker" or "none". Set by `install`.
_wait_mode = "none"


class _SyncWait:
    """A suspended call of ``run_sync``. `hit` says whether an interrupt has ended it."""

    __slots__ = ("future", "hit")

    def __init__(self) -> None:
        self.future = asyncio.get_event_loop().create_future()
        self.hit = False

    def interrupt(self) -> None:
        self.hit = True
        if not self.future.done():
            self.future.set_result(None)


def _can_run_sync() -> bool:
    """Whether the stack can be suspended here.

    Pyodide knows how Python was called. The worker knows when the stack has since become one that cannot be suspended.
    """
    return _pyodide_can_run_sync() and bool(host.can_suspend())


def _may_suspend() -> bool:
    """Whether the running cell can be suspended in this call, by switching stacks."""
    cell = current.cell
    return cell is not None and cell.is_running and _can_run_sync()


def can_wait() -> bool:
    """Whether `wait_for` can be called here."""
    return _can_run_sync()


def wait_for(awaitable: Any) -> Any:
    """Wait for a promise in synchronous code. Stop ends the wait. Call `can_wait` before."""
    return _run_sync(awaitable)


def sleep(seconds: float, /) -> None:
    """``time.sleep``, interruptible."""
    if not isinstance(seconds, (int, float)):
        if not hasattr(seconds, "__float__") and not hasattr(seconds, "__index__"):
            raise TypeError(f"'{type(seconds).__name__}' object cannot be interpreted as an integer")
        seconds = float(seconds)
    if seconds != seconds:
        raise ValueError("Invalid value NaN (not a number)")
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    if _wait_mode == "stack-switching" and seconds > 0 and _may_suspend():
        _run_sync(asyncio.sleep(seconds))
        return
    end = time.perf_counter() + seconds
    while (remaining := end - time.perf_counter()) > 0:
        if host.wait(remaining * 1000):
            interrupts.poll()


def read_line(prompt: str, password: bool, publish: Callable[[str, bool], None]) -> str:
    """Ask the user for a line and wait for it.

    Parameters
    ----------
    prompt, password
        Content of the ``input_request``.
    publish
        Sends the ``input_request``; called once.

    Raises
    ------
    RuntimeError
        There is no way to wait for an answer here.
    KeyboardInterrupt
        The cell was interrupted.
    """
    if _wait_mode == "none" or (_wait_mode == "stack-switching" and not _may_suspend()):
        raise RuntimeError(
            "input() cannot wait here: this page shares no memory with Python (is it cross-origin isolated?), its browser "
            "cannot suspend Python at this place and no service worker answers. Serve the site with "
            "COOP/COEP headers (`jupyter browsergrad serve` does), or open it outside a private window."
        )
    host.input_clear()
    publish(prompt, password)
    if _wait_mode == "stack-switching":
        line: str = _run_sync(host.input_promise())
        return line
    while (line := host.input_wait()) is None:
        interrupts.poll()
    return str(line)


def suspended_or(promise: Callable[[], Any], now: Callable[[], Any]) -> Any:
    """Return the result of the promise from `promise` if Python can be suspended here; otherwise the result of `now`, which blocks."""
    return _run_sync(promise()) if _may_suspend() else now()


def wait_for_room() -> None:
    """Wait until the page has shown enough of the output that it has received.

    Raises
    ------
    KeyboardInterrupt
        The cell was interrupted.
    """
    if not IN_PYODIDE:
        return
    while answer := host.room():
        if answer == "turn" and not _turn(TURN_MS):
            return
        interrupts.poll()


def _turn(ms: int = 0) -> bool:
    """Suspend the stack for a moment, so that messages from the page arrive. Callbacks of Python's event loop do not run meanwhile.

    Returns
    -------
    bool
        False if the stack could not be suspended.
    """
    if not _can_run_sync():
        return False
    try:
        _suspend(host.tick(ms))
    except SystemError as error:
        # JavaScript has called Python and needs the return value at once, such as that of a promise's callback.
        if REFUSED not in str(error):
            raise
        return False
    finally:
        host.tick_done()
    return True


def _suspend(awaitable: Any) -> Any:
    """Call Pyodide's ``run_sync`` with debuggers switched off.

    A debugger that stops in code which the event loop runs during the wait could not be answered.
    """
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined]  # since Python 3.12
    trace, tool = sys.gettrace(), monitoring.DEBUGGER_ID
    debugger = monitoring.get_tool(tool)
    if trace is None and debugger is None:
        return _pyodide_run_sync(awaitable)
    events = monitoring.get_events(tool) if debugger else 0
    sys.settrace(None)
    if events:
        monitoring.set_events(tool, 0)
    try:
        return _pyodide_run_sync(awaitable)
    finally:
        sys.settrace(trace)
        if events:
            monitoring.set_events(tool, events)


def _on_alarm(signum: int, frame: Any) -> None:
    """Let the event loop turn once, so that an interrupt can arrive. Used where there is no shared memory."""
    if not _turn():
        host.poll_main()


def _wrap_run_sync() -> None:
    global _pyodide_can_run_sync, _pyodide_run_sync, _run_sync
    import pyodide.ffi
    import pyodide.webloop

    if not hasattr(pyodide.ffi, "run_sync"):  # a Pyodide without stack switching
        return
    _pyodide_can_run_sync, _pyodide_run_sync = pyodide.ffi.can_run_sync, pyodide.ffi.run_sync

    def run_sync(x: Any) -> Any:
        cell = current.cell
        entered = _pyodide_can_run_sync()
        if entered and not host.can_suspend():
            raise RuntimeError("run_sync() cannot wait here: compiled code has called Python through JavaScript")
        if not entered or cell is None or not cell.is_running or asyncio.current_task() is not cell.task:
            return _suspend(x)
        future = asyncio.ensure_future(x)
        wait = _SyncWait()
        current.sync_waits.append(wait)
        try:
            _suspend(asyncio.wait((future, wait.future), return_when=asyncio.FIRST_COMPLETED))
        finally:
            if wait in current.sync_waits:
                current.sync_waits.remove(wait)
        if wait.hit:  # even if the future has ended at the same moment, since the interrupt must not get lost
            future.cancel()
            if future.done() and not future.cancelled():
                future.exception()
            host.interrupt_outcome("thrown")
            current.first_offer = 0.0
            raise interrupts.interruption()
        wait.future.cancel()
        try:
            return future.result()
        except BaseException as error:
            if (itself := interrupts.itself(error)) is not error:
                raise itself from None
            raise

    run_sync.__doc__ = _pyodide_run_sync.__doc__
    # A KeyboardInterrupt between ensure_future and the suspension would orphan the task.
    interrupts.protect(run_sync, _on_alarm, _turn, _suspend)
    pyodide.ffi.run_sync, pyodide.ffi.can_run_sync = run_sync, _can_run_sync
    if hasattr(pyodide.webloop, "run_sync"):
        pyodide.webloop.run_sync, pyodide.webloop.can_run_sync = run_sync, _can_run_sync
    _run_sync = run_sync


def install() -> None:
    """Replace the blocking calls. Does nothing on CPython."""
    global _wait_mode
    if not IN_PYODIDE:
        return
    _wait_mode = str(host.wait_mode())
    time.sleep = sleep  # type: ignore[assignment]  # an int is a float
    _wrap_run_sync()
    if _wait_mode == "stack-switching" or _wait_mode == "service-worker":
        signal.signal(signal.SIGALRM, _on_alarm)
    sleep.__module__ = "time"


def set_input(function: Callable[..., str]) -> None:
    """Make `function` the builtin ``input``."""
    builtins.input = function
