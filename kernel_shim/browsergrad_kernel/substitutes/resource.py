"""``resource`` for Python in WebAssembly. It reports usage. Limits cannot be set, since the page has them."""

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

#: Size of a page of WebAssembly's memory, in bytes.
_PAGE = 65536
_KNOWN = range(RLIMIT_CPU, RLIMIT_AS + 1)


class struct_rusage(NamedTuple):
    """The result of `getrusage`: seconds, KiB, and counts, which are always 0 here."""

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
    """Time and memory used. WebAssembly's memory never shrinks, so its size is also the peak."""
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
    """Size of a page of memory, in bytes."""
    return _PAGE


def getrlimit(resource: int, /) -> tuple[int, int]:
    """Return "no limit", since Python does not know the limits of the page."""
    if resource not in _KNOWN:
        raise ValueError("invalid resource specified")
    return RLIM_INFINITY, RLIM_INFINITY


def setrlimit(resource: int, limits: tuple[int, int], /) -> None:
    """Accept only "no limit".

    Raises
    ------
    OSError
        A limit was asked for.
    """
    getrlimit(resource)
    soft, hard = limits
    if (soft, hard) != (RLIM_INFINITY, RLIM_INFINITY):
        raise OSError(
            errno.ENOSYS,
            "resource.setrlimit cannot set limits: the browser, or the server's settings, limit Python in WebAssembly. "
            "%%timeout SECONDS in a cell's first line limits its time",
        )
