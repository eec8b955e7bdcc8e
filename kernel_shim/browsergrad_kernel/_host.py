"""The one place where Python meets the worker.

Inside Pyodide the worker registers a JavaScript module ``_browsergrad_host`` before this
package is imported. On CPython (unit tests) a stand-in is given to :func:`install`.
Everything else says ``from ._host import host`` and calls ``host.<method>``; the methods are
bound once, because looking one up on a JavaScript proxy costs more than calling it.
"""

from __future__ import annotations

import contextlib
import sys
from typing import Any

#: Whether this interpreter is Pyodide.
IN_PYODIDE = sys.platform == "emscripten"

#: Methods every host offers; `hostModule` in ``labextension/src/runtime/worker/host_module.ts`` defines them.
REQUIRED = ("publish", "stream_parent", "write", "flush", "log")

#: Methods only the worker offers: waiting, interrupts, packages.
WORKER_ONLY = (
    "begin",
    "end",
    "interrupt_outcome",
    "interrupt_snapshot",
    "take_interrupt",
    "limit",
    "slow_clock",
    "is_own_script",
    "user_start",
    "schedule",
    "schedule_first",
    "wait",
    "wait_mode",
    "can_suspend",
    "room",
    "input_clear",
    "input_wait",
    "input_promise",
    "tick",
    "tick_done",
    "poll_main",
    "request",
    "request_now",
    "request_abort",
    "offer_ahead",
    "load_packages",
    "package_of",
    "packages_in_order",
    "reads_now",
    "load_now",
    "read_now",
    "package_is",
    "packages_from_imports",
)


class Host:
    """Holds the bound methods of whatever implementation is installed."""

    def __init__(self) -> None:
        self.implementation: Any = None

    def __getattr__(self, name: str) -> Any:
        # Reached only for names `install` did not bind.
        implementation = self.__dict__.get("implementation")
        if implementation is None:
            raise RuntimeError(
                f"host.{name} was called before a host was installed; "
                "call browsergrad_kernel._host.install(stand_in) first"
            )
        return getattr(implementation, name)


host = Host()


def install(implementation: Any) -> None:
    """Bind `host` to `implementation`, replacing what was bound before."""
    host.__dict__.clear()
    host.implementation = implementation
    for name in REQUIRED + WORKER_ONLY:
        method = getattr(implementation, name, None)
        if method is not None:
            setattr(host, name, method)


def connect() -> None:
    """Bind `host` to the module the worker has registered. Does nothing on CPython."""
    if IN_PYODIDE:
        import _browsergrad_host

        install(_browsergrad_host)


# Absent while a memory snapshot is made: its kernels connect when they start.
with contextlib.suppress(ModuleNotFoundError):
    connect()
