"""Calls that wait, made interruptible: ``time.sleep``, ``input``, ``run_sync``.

In a page that is cross-origin isolated, and in Deno, they wait on shared memory. Elsewhere they
suspend the stack where the engine can (JSPI), else they ask the page through the service worker.
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
from .interrupts import _state


def _pyodide_can_run_sync() -> bool:
    return False


_pyodide_run_sync: Callable[[Any], Any]
_run_sync: Callable[[Any], Any]

#: Ms between two looks for room where the page can't be seen to make some.
TURN_MS = 20

#: What Pyodide's ``SystemError`` says where it has taken one call of Python for another that it could suspend.
REFUSED = "Cannot stack switch"

#: "shared-memory", "stack-switching", "service-worker" or "none"; set by `install`.
_wait_mode = "none"


class _SyncWait:
    """A suspended run_sync call."""

    __slots__ = ("future", "hit")

    def __init__(self) -> None:
        self.future = asyncio.get_event_loop().create_future()
        self.hit = False

    def interrupt(self) -> None:
        self.hit = True
        if not self.future.done():
            self.future.set_result(None)


def _can_run_sync() -> bool:
    """Whether the stack can be suspended here. Pyodide knows how Python was called, the worker when that is not so any more."""
    return _pyodide_can_run_sync() and bool(host.can_suspend())


def _may_suspend() -> bool:
    """Whether this very call can be suspended by switching stacks."""
    cell = _state.cell
    return cell is not None and cell.running and _can_run_sync()


def can_wait() -> bool:
    """Whether `wait_for` works at this place."""
    return _can_run_sync()


def wait_for(awaitable: Any) -> Any:
    """Wait for a promise in code that is not asynchronous; Stop ends it. Ask `can_wait` first."""
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
        Sends that message; called once.

    Raises
    ------
    RuntimeError
        Where no way exists to wait for an answer.
    KeyboardInterrupt
        When the cell is interrupted.
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
    """What the promise that `promise` makes comes to, where Python can be suspended and interrupted; else the answer of `now`, which blocks."""
    return _run_sync(promise()) if _may_suspend() else now()


def wait_for_room() -> None:
    """Hold the writer back while the page has more output in hand than it can show.

    Raises
    ------
    KeyboardInterrupt
        When the cell is interrupted.
    """
    if not IN_PYODIDE:
        return
    while answer := host.room():
        if answer == "turn" and not _turn(TURN_MS):
            return
        interrupts.poll()


def _turn(ms: int = 0) -> bool:
    """Let messages of the page arrive: suspends the stack, and holds Python's own callbacks back.

    Returns
    -------
    bool
        False where the stack cannot be suspended: then nothing has happened.
    """
    if not _can_run_sync():
        return False
    try:
        _suspend(host.tick(ms))
    except SystemError as error:
        # Whoever called Python here must get what it calls for: a promise's callback would lose the value.
        if REFUSED not in str(error):
            raise
        return False
    finally:
        host.tick_done()
    return True


def _suspend(awaitable: Any) -> Any:
    """Pyodide's ``run_sync``. Nobody could answer a debugger that stops in what the event loop runs meanwhile."""
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
    """Without shared memory: let the event loop turn once, so that an interrupt can arrive."""
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
        cell = _state.cell
        entered = _pyodide_can_run_sync()
        if entered and not host.can_suspend():
            raise RuntimeError("run_sync() cannot wait here: compiled code has called Python through JavaScript")
        if not entered or cell is None or not cell.running or asyncio.current_task() is not cell.task:
            return _suspend(x)
        future = asyncio.ensure_future(x)
        wait = _SyncWait()
        _state.sync_waits.append(wait)
        try:
            _suspend(asyncio.wait((future, wait.future), return_when=asyncio.FIRST_COMPLETED))
        finally:
            if wait in _state.sync_waits:
                _state.sync_waits.remove(wait)
        if wait.hit:  # even if the future ended at the same moment: the interrupt must not get lost
            future.cancel()
            if future.done() and not future.cancelled():
                future.exception()
            host.delivered(3)
            _state.first = 0.0
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
