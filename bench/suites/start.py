"""How long a visitor waits for Python, and what it costs."""

from __future__ import annotations

import time
from pathlib import Path

from ..lab import Lab
from ..runner import Bench
from ..table import Row


def run(bench: Bench) -> list[Row]:
    rows = []
    for isolated in (False, True):
        rows.append(bench.compare("first cell, first visit", Lab.start, ours="bare", isolated=isolated, limit=0.15))
        rows.append(bench.compare("first cell, second visit", warm, ours="bare", isolated=isolated))
        rows.append(bench.compare("second kernel", second, ours="bare", isolated=isolated, limit=0.1))
    rows.append(bench.compare("restart", restart, limit=0.05))
    rows.append(bench.compare("bytes until the first reply", transferred, unit="MB", ours="bare", limit=1.1))
    rows.append(bench.compare("memory of a further kernel", memory, unit="MB", ours="bare", limit=1.25))
    return rows


def warm(lab: Lab) -> float:
    """The browser's cache holds what the first visit fetched, and its compiled code."""
    lab.start()
    lab.reload()
    return lab.start()


def second(lab: Lab) -> float:
    lab.start()
    return lab.start()


def restart(lab: Lab) -> float:
    """Ours restarts from the spare Python that the page keeps ready."""
    lab.start()
    if lab.which != "stock":
        lab.page.wait_for_function("performance.getEntriesByName('browsergrad:spare').length")
    return lab.js("() => bench.restart()")


def transferred(lab: Lab) -> float:
    before = lab.server.sent
    lab.start()
    return (lab.server.sent - before) / 1e6


def memory(lab: Lab) -> float:
    """What the browser's processes grow by when a second kernel has run a cell."""
    lab.start()
    before = resident(lab)
    lab.start()
    return resident(lab) - before


def resident(lab: Lab) -> float:
    """MB of memory private to the page's renderer process, after a garbage collection."""
    session = lab.page.context.new_cdp_session(lab.page)
    session.send("HeapProfiler.collectGarbage")
    session.detach()
    time.sleep(2)  # freed pages go back to the system a little later
    browser = lab.page.context.browser.new_browser_cdp_session()
    processes = browser.send("SystemInfo.getProcessInfo")["processInfo"]
    browser.detach()
    return sum(private(item["id"]) for item in processes if item["type"] == "renderer")


def private(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty"))) / 1000
