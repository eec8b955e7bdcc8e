"""Folders for the copies of labs in which sandboxes work. None of them outlives this process, however it ends.

All folders of a process are in one folder, on which the process holds a lock. A shell waits for the end of a pipe, which comes even if the
process is killed, and then removes that folder. If the shell is killed too, the next run finds the folder without a lock, and removes it.
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
#: A folder without a lock is removed if it is older than this, in seconds: its owner first makes it and then locks it.
STALE_S = 60.0
_REMOVE_AFTER_US = 'read -r _; exec rm -rf -- "$0"'

_lock = threading.Lock()
_base: _Base | None = None


class _Base:
    """The folder of this process. It exists as long as it is used."""

    def __init__(self) -> None:
        import fcntl  # not on Windows, where only the commands that need no sandbox work

        _remove_stale()
        self.users = 0
        self.path = tempfile.mkdtemp(prefix=PREFIX)
        self._locked = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(self._locked, fcntl.LOCK_SH)
        self._shell: subprocess.Popen[bytes] | None = None
        with contextlib.suppress(
            OSError
        ):  # without the shell, the next run removes the folder of a process that was killed
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
    """Keep this process's folder until the end of the block. Make it if there is none."""
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
    """Make an empty folder. At the end of the block, remove it with its contents."""
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
