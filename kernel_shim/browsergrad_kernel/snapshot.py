"""What a memory snapshot of a started kernel needs: making it ready, and mending what it froze.

:func:`make` runs when the snapshot is built, in a Pyodide that no browser sees; :func:`repair` in every
kernel made from it. What `repair` uses is imported here, so that it is in the snapshot.
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
from typing import Any

import __main__

from . import _host, interrupts, messages, request_context, startup, streams, tracebacks

#: Requests whose code every session comes by sooner or later.
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
    """A host that takes everything and answers nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *args: None


def make() -> None:
    """Start the kernel, let it do once what makes Python import and cache, then start it afresh."""
    _host.install(_Silence())
    interrupts.current.is_active = False  # there is nobody to interrupt, and no event loop to wait on
    std = sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__
    streams.install()
    kernel = startup.prepare()
    contextvars.copy_context().run(_warm_up, kernel)
    sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__ = std  # type: ignore[misc]
    streams._installed.clear()
    interrupts.current.is_active = True
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
    # `pyodide.globals` is this one; `startup.start` puts IPython's in its place.
    sys.modules["__main__"] = __main__
    _host.host.__dict__.clear()
    _host.host.implementation = None
    gc.collect()


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
    """Make everything differ that differs between two processes, and fit the present page.

    Parameters
    ----------
    environment
        What ``os.environ`` gets: a mapping, or its JavaScript proxy.
    """
    os.environ.pop("PYTHONHASHSEED", None)
    os.environ.update(environment.to_py() if hasattr(environment, "to_py") else environment)
    # As Emscripten and Pyodide name it.
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
    # The clock starts anew with the process.
    interrupts.current.clear()
    asyncio.get_event_loop()


def _set_time_zone() -> None:
    """What ``time`` computes once, when it is imported; C's own zone has been set before."""
    year = time.gmtime().tm_year
    january, july = (time.localtime(calendar.timegm((year, month, 1, 12, 0, 0))) for month in (1, 7))
    standard, summer = (january, july) if january.tm_gmtoff <= july.tm_gmtoff else (july, january)
    time.timezone, time.altzone = -standard.tm_gmtoff, -summer.tm_gmtoff
    time.daylight = int(standard.tm_gmtoff != summer.tm_gmtoff)
    time.tzname = (standard.tm_zone, summer.tm_zone)
