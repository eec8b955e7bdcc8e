"""``resource`` for Python in WebAssembly: what is used can be asked, limits are the page's and cannot be set."""

from __future__ import annotations

import errno
import sys
import time
from typing import NamedTuple

error = OSError

RLIMIT_AS = 9
RLIMIT_CORE = 4
RLIMIT_CPU = 0
RLIMIT_DATA = 2
RLIMIT_FSIZE = 1
RLIMIT_MEMLOCK = 8
RLIMIT_NOFILE = 7
RLIMIT_NPROC = 6
RLIMIT_RSS = 5
RLIMIT_STACK = 3
RLIM_INFINITY = -1
RUSAGE_CHILDREN = -1
RUSAGE_SELF = 0
RUSAGE_THREAD = 1

#: Bytes of a page of WebAssembly's memory.
_PAGE = 65536
_KNOWN = range(RLIMIT_CPU, RLIMIT_AS + 1)


class struct_rusage(NamedTuple):
    """What `getrusage` answers: seconds, then KiB, then counts, which nobody keeps here."""

    ru_utime: float = 0.0
    ru_stime: float = 0.0
    ru_maxrss: int = 0
    ru_ixrss: int = 0
    ru_idrss: int = 0
    ru_isrss: int = 0
    ru_minflt: int = 0
    ru_majflt: int = 0
    ru_nswap: int = 0
    ru_inblock: int = 0
    ru_oublock: int = 0
    ru_msgsnd: int = 0
    ru_msgrcv: int = 0
    ru_nsignals: int = 0
    ru_nvcsw: int = 0
    ru_nivcsw: int = 0


def getrusage(who: int, /) -> struct_rusage:
    """Time and memory used: the memory of WebAssembly only grows, so its size is the most that was used."""
    if who == RUSAGE_CHILDREN:
        return struct_rusage()
    if who not in (RUSAGE_SELF, RUSAGE_THREAD):
        raise ValueError("invalid who parameter")
    return struct_rusage(ru_utime=time.process_time(), ru_maxrss=_memory_bytes() // 1024)


def _memory_bytes() -> int:
    if sys.platform != "emscripten":
        return 0
    import pyodide_js

    return int(pyodide_js._module.HEAP8.length)


def getpagesize() -> int:
    """Bytes of a page of memory."""
    return _PAGE


def getrlimit(resource: int, /) -> tuple[int, int]:
    """No limits that Python knows of."""
    if resource not in _KNOWN:
        raise ValueError("invalid resource specified")
    return RLIM_INFINITY, RLIM_INFINITY


def setrlimit(resource: int, limits: tuple[int, int], /) -> None:
    """Take what is no limit, refuse any other.

    Raises
    ------
    OSError
        When a limit is asked for.
    """
    getrlimit(resource)
    soft, hard = limits
    if (soft, hard) != (RLIM_INFINITY, RLIM_INFINITY):
        raise OSError(
            errno.ENOSYS,
            "resource.setrlimit cannot set limits: the browser, or the server's settings, limit Python in WebAssembly. "
            "%%timeout SECONDS in a cell's first line limits its time",
        )
