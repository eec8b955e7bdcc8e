"""Prepares a memory snapshot of a started kernel, and repairs kernels that start from it.

:func:`make` runs when the snapshot is built, in a Pyodide outside any browser. :func:`repair` runs in every kernel that starts
from it. This module imports everything that `repair` uses, so that the snapshot contains it.
"""

from __future__ import annotations

import asyncio
import atexit
import calendar
import contextvars
import gc
import json
import linecache
import os
import random
import sys
import tempfile
import time
import uuid
import weakref
from types import CodeType
from typing import Any

import __main__

from . import _host, interrupts, messages, put_off, request_context, reserve, startup, streams, tracebacks

#: Requests that nearly every session makes. Their code is run for the snapshot.
_WARM_UP: tuple[tuple[str, dict[str, Any]], ...] = (
    ("kernel_info_request", {}),
    ("execute_request", {"code": "import sys\nprint('warm')\n1"}),
    ("execute_request", {"code": "def f(a):\n    return a / 0\nf(1)"}),
    ("execute_request", {"code": "import json\njson.loads('{')"}),
    ("execute_request", {"code": "1 +"}),
    ("execute_request", {"code": "%time 1"}),
    ("execute_request", {"code": "len?"}),
    ("execute_request", {"code": "from IPython.display import HTML, display\ndisplay(HTML('<b>1</b>'))"}),
    ("execute_request", {"code": "import browsergrad.hosting\nbrowsergrad.hosting.load_notebook_sink()"}),
    ("complete_request", {"code": "import os; os.pa", "cursor_pos": 16}),
    ("inspect_request", {"code": "len", "cursor_pos": 3, "detail_level": 0}),
    ("is_complete_request", {"code": "for i in x:"}),
    ("history_request", {"hist_access_type": "tail", "n": 1, "output": False, "raw": True}),
    ("comm_info_request", {}),
)


class _Silence:
    """A host that accepts every call and does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args: None


def make() -> None:
    """Start the kernel, run what makes Python import and cache things, then start the kernel anew."""
    _host.install(_Silence())
    reserve.is_wanted = False
    interrupts.current.is_active = False  # nobody interrupts, and there is no event loop to wait for
    std = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    streams.install()
    kernel = startup.prepare()
    contextvars.copy_context().run(_warm_up, kernel)
    sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = std  # type: ignore[misc]
    streams._installed.clear()
    interrupts.current.is_active = reserve.is_wanted = True
    interrupts.forget_cell_files()
    linecache.clearcache()
    tracebacks.forget_sources(0)
    tracebacks.forget_blocks()
    request_context._newest = {}
    streams._announced = streams._writer = None
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        if hasattr(sys, name):
            delattr(sys, name)
    shell = kernel.shell
    atexit.unregister(shell._atexit_once)
    sys.modules["__main__"] = __main__
    startup.forget()
    type(shell).clear_instance()
    del kernel, shell
    gc.collect()
    startup.prepare()
    # `pyodide.globals` is this module. `startup.start` replaces it by IPython's.
    sys.modules["__main__"] = __main__
    _host.host.__dict__.clear()
    _host.host.implementation = None
    put_off.put_off()
    gc.collect()


def hashed_codes() -> list[int]:
    """Addresses of the code objects that dictionaries or sets hold as keys. Their hash must not change, so neither may their table of lines."""
    found: set[int] = set()
    waiting: list[Any] = []
    for container in gc.get_objects():
        if isinstance(container, (dict, set, frozenset)):
            waiting += [key for key in list(container) if isinstance(key, (CodeType, tuple, weakref.ref))]
    while waiting:
        key = waiting.pop()
        if isinstance(key, tuple):
            waiting += [part for part in key if isinstance(part, (CodeType, tuple))]
        elif isinstance(key, weakref.ref):
            waiting += [each for each in (key(),) if isinstance(each, CodeType)]
        elif id(key) not in found:
            found.add(id(key))
            waiting += [each for each in key.co_consts if isinstance(each, CodeType)]  # part of the hash
    return sorted(found)


def _warm_up(kernel: Any) -> None:
    for number, (msg_type, content) in enumerate(_WARM_UP, 1):
        header = {"msg_id": str(number), "msg_type": msg_type, "session": "", "username": "", "date": "", "version": ""}
        if msg_type == "execute_request":
            content = {"allow_stdin": False, "user_expressions": {}, "stop_on_error": True, **content}
        message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
        answering = kernel.dispatch(json.dumps(message), [], number)
        try:
            answering.send(None)
        except StopIteration:
            continue
        answering.close()
        raise RuntimeError(f"{msg_type} waits for something: it can't be part of a snapshot")


def repair(environment: Any) -> None:
    """Renew everything that differs between two processes, and adapt it to the present page.

    Parameters
    ----------
    environment
        The new ``os.environ``: a mapping, or its JavaScript proxy.
    """
    os.environ.pop("PYTHONHASHSEED", None)
    os.environ.update(environment.to_py() if hasattr(environment, "to_py") else environment)
    # The name that Emscripten and Pyodide give it.
    os.environ["_"] = sys.orig_argv[0] = "./this.program"
    sys.executable = sys._base_executable = "/home/pyodide/this.program"  # type: ignore[attr-defined]
    random.seed()
    tempfile._name_sequence = None  # type: ignore[attr-defined]  # made of the clock and the process otherwise
    uuid._node = uuid._last_timestamp = None  # type: ignore[attr-defined]  # a random address and a count
    messages.renew()
    while sys.path.count("") > 1:
        sys.path.remove("")
    _set_time_zone()
    if "logging" in sys.modules:
        sys.modules["logging"]._startTime = time.time_ns()  # type: ignore[attr-defined]
    # This clock starts with the process.
    interrupts.current.clear()
    asyncio.get_event_loop()


def _set_time_zone() -> None:
    """Set the time zone of ``time``, which it computes only when it is imported. The C library's zone has been set before."""
    year = time.gmtime().tm_year
    january, july = (time.localtime(calendar.timegm((year, month, 1, 12, 0, 0))) for month in (1, 7))
    standard, summer = (january, july) if january.tm_gmtoff <= july.tm_gmtoff else (july, january)
    time.timezone, time.altzone = -standard.tm_gmtoff, -summer.tm_gmtoff
    time.daylight = int(standard.tm_gmtoff != summer.tm_gmtoff)
    time.tzname = (standard.tm_zone, summer.tm_zone)
