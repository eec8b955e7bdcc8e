"""Measures the memory of an open page."""

from __future__ import annotations

import time
from pathlib import Path

from .lab import Lab

#: Ms after which an idle kernel has fetched what it may need later, and has run its own code.
SETTLE_MS = 6000
#: Kinds of processes in which a page's memory may be.
ALL = ("renderer", "browser")


def settled(lab: Lab) -> float:
    """Return what `resident` does, once files have come that a kernel fetches after its first cell, and its own code has run."""
    lab.page.wait_for_timeout(SETTLE_MS)
    return resident(lab)


def resident(lab: Lab, kinds: tuple[str, ...] = ("renderer",)) -> float:
    """Return the MB of memory that only the browser's processes of these kinds use, after a garbage collection."""
    session = lab.page.context.new_cdp_session(lab.page)
    session.send("HeapProfiler.collectGarbage")
    session.detach()
    time.sleep(1)  # freed memory goes back to the system a little later
    browser = lab.page.context.browser.new_browser_cdp_session()
    processes = browser.send("SystemInfo.getProcessInfo")["processInfo"]
    browser.detach()
    return sum(private(item["id"]) for item in processes if item["type"] in kinds)


def private(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty"))) / 1000
