"""Finds processes of other programs, and waits until they have ended."""

from __future__ import annotations

import time

import psutil
from hangs import HANG_S


def children(pid: int, name: str = "") -> list[int]:
    """The processes below another one that have `name` in their names."""
    found = []
    for child in psutil.Process(pid).children(recursive=True):
        try:
            if name in child.name():
                found.append(child.pid)
        except psutil.NoSuchProcess:  # the process has ended meanwhile
            continue
    return found


def memory(pid: int) -> int:
    """MiB of memory in use by a process and those below it."""
    used = 0
    for one in (pid, *children(pid)):
        try:
            used += psutil.Process(one).memory_info().rss
        except psutil.NoSuchProcess:  # the process has ended meanwhile
            continue
    return used >> 20


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + HANG_S
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, f"{pids} still run"
        time.sleep(0.05)  # Nothing can be awaited, since they are not our children.
