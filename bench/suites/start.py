"""Measures how long a visitor waits for Python, and how much is transferred and kept in memory for it."""

from __future__ import annotations

from collections import defaultdict

from ..lab import Lab
from ..memory import ALL, resident, settled
from ..runner import Bench
from ..table import Row

Samples = dict[str, dict[str, list[float]]]
#: Name of a row to its unit and the greatest ratio that the project accepts.
ROWS: dict[str, tuple[str, float | None]] = {
    "first cell, first visit": ("ms", 0.15),
    "first cell, second visit": ("ms", None),
    "first cell, page prefetched": ("ms", 0.07),
    "first cell, spare Python": ("ms", None),
    "second kernel": ("ms", 0.1),
    "restart": ("ms", 0.05),
    "transferred until the first reply": ("MB", 1.1),
    "memory after the first cell": ("MB", 0.8),
    "memory of a further kernel": ("MB", 0.8),
    "memory of both after a restart": ("MB", 0.8),
    "memory of both after a restart, browser's own process included": ("MB", None),
}


def run(bench: Bench) -> list[Row]:
    rows = []
    for isolated in (False, True):
        samples: Samples = defaultdict(lambda: {"ours": [], "stock": []})
        for turn in range(bench.repetitions):
            # Both sides take turns in being first, since the second one finds a warm file cache.
            for side in ("ours", "stock") if turn % 2 else ("stock", "ours"):
                _visit(bench, side, isolated, samples)
        rows += [
            bench.row(name, unit, samples[name], isolated=isolated, limit=limit) for name, (unit, limit) in ROWS.items()
        ]
    return rows


def _visit(bench: Bench, side: str, isolated: bool, samples: Samples) -> None:
    """Take one sample for each row of a side, in a fresh profile."""

    def take(name: str, value: float) -> None:
        samples[name][side].append(value)

    with bench.lab("bare" if side == "ours" else "stock", isolated) as lab:
        empty, empty_in_all = resident(lab), resident(lab, ALL)
        before = lab.server.sent
        first = lab.start()
        take("first cell, first visit", first)
        take("transferred until the first reply", (lab.server.sent - before) / 1e6)
        if side == "ours":
            _wait(lab, "browsergrad:kept")  # what the page keeps and fetches for later is part of a kernel's memory
        held = settled(lab)
        take("memory after the first cell", held - empty)
        take("second kernel", lab.start())
        take("memory of a further kernel", settled(lab) - held)
        if side == "stock":
            # The stock kernel prepares nothing ahead. So a page that has been open for a while starts it no faster.
            take("first cell, page prefetched", first)
            take("first cell, spare Python", first)
        restart = lab.js("() => bench.restart()")
        take("memory of both after a restart", settled(lab) - empty)
        take("memory of both after a restart, browser's own process included", resident(lab, ALL) - empty_in_all)
        if side == "stock":
            take("restart", restart)
        lab.reload()
        take("first cell, second visit", lab.start())
    if side == "ours":
        with bench.lab("fetched", isolated) as lab:
            _wait(lab, "browsergrad:prefetched")
            take("first cell, page prefetched", lab.start())
        with bench.lab("ours", isolated) as lab:
            _wait(lab, "browsergrad:spare")
            lab.js("() => performance.clearMarks('browsergrad:spare')")
            take("first cell, spare Python", lab.start())
            _wait(lab, "browsergrad:spare")
            take("restart", lab.js("() => bench.restart()"))


def _wait(lab: Lab, mark: str) -> None:
    lab.page.wait_for_function("name => performance.getEntriesByName(name).length", arg=mark)
