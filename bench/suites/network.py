"""Measures a visitor's wait over lines as schools have them, from hosts that compress and hosts that do not.

Each visit takes as long as the line needs for it, so the suite would take hours with the repetitions of the others. The line decides the times,
and they vary little: `LINES` says how often each is measured. Every repetition measures both sides, one after the other.
"""

from __future__ import annotations

import shutil
import time
from collections import defaultdict

from ..runner import Bench
from ..slow_server import Line, SlowServer, compressing
from ..table import Row

#: Name -> Mbit/s, ms there and back, the greatest ratio that the project accepts for a first visit, and repetitions.
LINES: dict[str, tuple[float, float, float, int]] = {
    "20 Mbit/s, 40 ms": (20, 40, 0.3, 3),
    "5 Mbit/s, 80 ms": (5, 80, 0.4, 1),
    "a twentieth of 100 Mbit/s, 5 ms": (5, 5, 0.4, 1),
}
SECOND = 0.1
#: Visits after the first one. They are short, and depend less on the line than on what else the machine does, so each is one sample of the second visit.
LATER_VISITS = 3
BYTES = 0.6


def run(bench: Bench) -> list[Row]:
    rows: list[Row] = []
    lines = dict(list(LINES.items())[:1]) if bench.quick else LINES
    copies = {side: bench.folders[name].with_name(f"{name}-compressed") for side, name in _SITES.items()}
    for copy in copies.values():
        shutil.rmtree(copy, ignore_errors=True)
    for is_compressed in (True, False):
        host = "compressing host" if is_compressed else "plain host"
        for name, (mbit, rtt_ms, limit, most) in lines.items():
            samples: dict[str, dict[str, list[float]]] = defaultdict(lambda: {"ours": [], "stock": []})
            for turn in range(min(bench.repetitions, most)):
                for side in ("ours", "stock") if turn % 2 else ("stock", "ours"):
                    folder = bench.folders[_SITES[side]]
                    folder = compressing(folder, copies[side]) if is_compressed else folder
                    for what, value in _visits(bench, side, SlowServer(folder, False, Line(mbit, rtt_ms))):
                        samples[what][side].append(value)
            limits = {
                "first visit: kernel to reply": limit,
                "second visit: kernel to reply": SECOND,
                "first visit: MB": BYTES,
            }
            rows += [
                bench.row(
                    f"{what.removesuffix(': MB')}, {name}, {host}",
                    "MB" if what.endswith("MB") else "ms",
                    taken,
                    limit=limits.get(what),
                )
                for what, taken in samples.items()
            ]
    return rows


#: Our kernel with its defaults would prefetch while the page loads; the time counts from asking for a kernel.
_SITES = {"ours": "bare", "stock": "stock"}


def _visits(bench: Bench, side: str, server: SlowServer) -> list[tuple[str, float]]:
    """Return what one visitor measures in the first visit and in later ones, by name."""
    found = []
    try:
        begin = time.monotonic()
        with bench.visitor(server, _SITES[side]) as lab:
            before = server.sent
            found.append(("first visit: kernel to reply", lab.start()))
            found.append(("first visit: page to reply", (time.monotonic() - begin) * 1000))
            found.append(("first visit: MB", (server.sent - before) / 1e6))
            if side == "ours":  # the page keeps what it has unpacked, after some seconds
                lab.page.wait_for_function("performance.getEntriesByName('browsergrad:kept').length")
            for _ in range(LATER_VISITS):
                begin = time.monotonic()
                before = server.sent
                lab.reload()
                found.append(("second visit: kernel to reply", lab.start()))
                found.append(("second visit: page to reply", (time.monotonic() - begin) * 1000))
                found.append(("second visit: MB", (server.sent - before) / 1e6))
    finally:
        server.close()
    return found
