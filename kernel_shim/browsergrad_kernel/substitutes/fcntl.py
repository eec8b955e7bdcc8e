"""``fcntl`` for a Python that was built without it. No other kernel uses this kernel's files, so locks always succeed.

The constants are those of Emscripten, which the real module has.
"""

from __future__ import annotations

import errno
import os
from typing import Any

DN_ACCESS = 1
DN_ATTRIB = 32
DN_CREATE = 4
DN_DELETE = 8
DN_MODIFY = 2
DN_MULTISHOT = -2147483648
DN_RENAME = 16
FASYNC = 8192
FD_CLOEXEC = 1
F_ADD_SEALS = 1033
F_DUPFD = 0
F_DUPFD_CLOEXEC = 1030
F_GETFD = 1
F_GETFL = 3
F_GETLEASE = 1025
F_GETLK = 12
F_GETLK64 = 12
F_GETOWN = 9
F_GETOWN_EX = 16
F_GETPIPE_SZ = 1032
F_GETSIG = 11
F_GET_FILE_RW_HINT = 1037
F_GET_RW_HINT = 1035
F_GET_SEALS = 1034
F_NOTIFY = 1026
F_OFD_GETLK = 36
F_OFD_SETLK = 37
F_OFD_SETLKW = 38
F_OWNER_PGRP = 2
F_OWNER_PID = 1
F_OWNER_TID = 0
F_RDLCK = 0
F_SEAL_FUTURE_WRITE = 16
F_SEAL_GROW = 4
F_SEAL_SEAL = 1
F_SEAL_SHRINK = 2
F_SEAL_WRITE = 8
F_SETFD = 2
F_SETFL = 4
F_SETLEASE = 1024
F_SETLK = 13
F_SETLK64 = 13
F_SETLKW = 14
F_SETLKW64 = 14
F_SETOWN = 8
F_SETOWN_EX = 15
F_SETPIPE_SZ = 1031
F_SETSIG = 10
F_SET_FILE_RW_HINT = 1038
F_SET_RW_HINT = 1036
F_UNLCK = 2
F_WRLCK = 1
I_ATMARK = 21279
I_CANPUT = 21282
I_CKBAND = 21277
I_FDINSERT = 21264
I_FIND = 21259
I_FLUSH = 21253
I_FLUSHBAND = 21276
I_GETBAND = 21278
I_GETCLTIME = 21281
I_GETSIG = 21258
I_GRDOPT = 21255
I_GWROPT = 21268
I_LINK = 21260
I_LIST = 21269
I_LOOK = 21252
I_NREAD = 21249
I_PEEK = 21263
I_PLINK = 21270
I_POP = 21251
I_PUNLINK = 21271
I_PUSH = 21250
I_RECVFD = 21262
I_SENDFD = 21265
I_SETCLTIME = 21280
I_SETSIG = 21257
I_SRDOPT = 21254
I_STR = 21256
I_SWROPT = 21267
I_UNLINK = 21261
LOCK_EX = 2
LOCK_NB = 4
LOCK_SH = 1
LOCK_UN = 8
RWH_WRITE_LIFE_EXTREME = 5
RWH_WRITE_LIFE_LONG = 4
RWH_WRITE_LIFE_MEDIUM = 3
RWH_WRITE_LIFE_NONE = 1
RWH_WRITE_LIFE_NOT_SET = 0
RWH_WRITE_LIFE_SHORT = 2

_LOCKS = (LOCK_SH, LOCK_EX, LOCK_UN)


def _descriptor(file: Any) -> int:
    """The descriptor of an open file, or of an object that has one.

    Raises
    ------
    OSError
        The file is not open.
    """
    if not isinstance(file, int):
        fileno = getattr(file, "fileno", None)
        if fileno is None:
            raise TypeError("argument must be an int, or have a fileno() method.")
        file = fileno()
    if file < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({file})")
    os.fstat(file)
    return int(file)


def flock(fd: Any, operation: int, /) -> None:
    """Lock a file. This always succeeds, since nobody else can have locked it."""
    _descriptor(fd)
    if operation & ~LOCK_NB not in _LOCKS:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def lockf(fd: Any, cmd: int, len: int = 0, start: int = 0, whence: int = 0, /) -> None:
    """Lock a part of a file. This always succeeds, since nobody else can have locked it."""
    _descriptor(fd)
    if cmd & ~LOCK_NB not in _LOCKS:
        raise ValueError("unrecognized lockf argument")


def fcntl(fd: Any, cmd: int, arg: Any = 0, /) -> Any:
    """Carry out the commands for which Python has functions.

    Raises
    ------
    OSError
        The command is another one.
    """
    descriptor = _descriptor(fd)
    if cmd in (F_DUPFD, F_DUPFD_CLOEXEC):
        return os.dup(descriptor)
    if cmd == F_GETFD:
        return 0 if os.get_inheritable(descriptor) else FD_CLOEXEC
    if cmd == F_SETFD:
        os.set_inheritable(descriptor, not arg & FD_CLOEXEC)
        return 0
    if cmd == F_GETFL:
        return os.O_RDWR | (0 if os.get_blocking(descriptor) else os.O_NONBLOCK)
    if cmd == F_SETFL:
        os.set_blocking(descriptor, not arg & os.O_NONBLOCK)
        return 0
    if cmd in (F_SETLK, F_SETLKW):
        return arg
    raise OSError(
        errno.EINVAL, f"fcntl.fcntl: this Python cannot carry out command {cmd}, since it was built without fcntl"
    )


def ioctl(fd: Any, request: int, arg: Any = 0, mutate_flag: bool = True, /) -> Any:
    """Raise an error, since no file is a device here.

    Raises
    ------
    OSError
        Always: that the file is not a terminal, or not open.
    """
    _descriptor(fd)
    raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))
