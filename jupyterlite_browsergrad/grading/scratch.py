"""Folders for the copies of labs that sandboxes work in: none outlives this process, however it ends.

All of a process lie in one, of which this process holds a lock. A shell waits beside it for the end of a pipe, which comes even when
this process is killed, and removes that folder then. Should the shell be killed as well, the next run finds the folder without a lock.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["PREFIX", "folder", "kept"]

PREFIX = "browsergrad-grading-"
#: Seconds after which a folder without a lock is left over: its owner makes it first and locks it then.
STALE_S = 60.0
_REMOVE_AFTER_US = 'read -r _; exec rm -rf -- "$0"'

_lock = threading.Lock()
_base: _Base | None = None


class _Base:
    """The folder of this process, as long as anybody uses it."""

    def __init__(self) -> None:
        import fcntl  # Windows has none, where the commands that need no sandbox work all the same

        _remove_stale()
        self.users = 0
        self.path = tempfile.mkdtemp(prefix=PREFIX)
        self._locked = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._locked, fcntl.LOCK_SH)
        self._shell: subprocess.Popen[bytes] | None = None
        with contextlib.suppress(OSError):  # without a shell the next run removes what a killed one left
            self._shell = subprocess.Popen(
                ["/bin/sh", "-c", _REMOVE_AFTER_US, self.path],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._locked)
        if self._shell is not None:
            self._shell.communicate()  # closes the pipe, and waits


@contextmanager
def kept() -> Iterator[Path]:
    """Keep this process's folder until the end of the block, and make it when there is none."""
    global _base
    with _lock:
        if _base is None:
            _base = _Base()
        base = _base
        base.users += 1
    try:
        yield Path(base.path)
    finally:
        with _lock:
            base.users -= 1
            if not base.users:
                _base = None
                base.remove()


@contextmanager
def folder() -> Iterator[Path]:
    """Make an empty folder, and remove it with all that is in it at the end of the block."""
    with kept() as base:
        path = tempfile.mkdtemp(dir=base)
        try:
            yield Path(path)
        finally:
            shutil.rmtree(path, ignore_errors=True)


def _remove_stale() -> None:
    import fcntl

    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another user's, or just removed
            if time.time() - left.stat().st_mtime < STALE_S:
                continue
            opened = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(opened)
