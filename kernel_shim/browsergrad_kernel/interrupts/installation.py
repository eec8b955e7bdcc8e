"""Installs the signal handler, and marks code of other projects that must not be interrupted."""

from __future__ import annotations

import asyncio
import signal
import sys

from .._host import host
from . import frames, handler, requests
from .cell import Cell
from .state import current

#: Methods of Pyodide's event loop. An interrupt inside them would leave the loop in an inconsistent state.
_LOOP_METHODS = ("call_soon", "call_later", "call_at", "create_future", "create_task", "_decrement_in_progress")
#: Frozen modules in which an interrupt waits for a better moment. C code calls the checks of abc, and may lose an exception from them.
_FROZEN = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>", "<frozen abc>")


def mark_ours() -> None:
    """Mark the functions of this package that must not be interrupted."""
    frames.mark_handler(*handler.HANDLER, handler.poll)
    frames.protect(*handler.HANDLER, handler.on_idle, handler.on_unraisable, Cell.cancel, Cell.force)
    frames.protect(requests.begin, requests.end)


def install() -> None:
    """Install the handler of SIGINT. Does nothing on CPython."""
    if not current.is_active:
        return
    import _weakrefset
    import threading
    import weakref

    import pyodide.webloop as webloop

    current.slow_clock = host.slow_clock()
    asyncio_modules = [module for name, module in sys.modules.items() if name.startswith("asyncio.")]
    for module in (*asyncio_modules, webloop, _weakrefset, weakref, threading):
        # `__file__` of a module from an archive names the compiled file; its code objects name the source.
        frames.soft_files.add((getattr(module, "__file__", None) or "").replace(".pyc", ".py"))
    frames.soft_files.update(_FROZEN)
    frames.soft_files.discard("")
    mark_ours()
    frames.protect_methods(webloop.WebLoop, *_LOOP_METHODS)
    # An interrupt after the group has created a task, but before it has registered a callback for its end, would make
    # the group wait for ever.
    frames.protect_methods(asyncio.TaskGroup, "create_task")
    webloop.scheduleCallback = host.schedule
    sys.unraisablehook = handler.on_unraisable
    current.loop = asyncio.get_event_loop()
    # A KeyboardInterrupt of a background task must not reach JavaScript as an error.
    current.loop._keyboard_interrupt_handler = lambda: None
    signal.signal(signal.SIGINT, handler.on_sigint)
