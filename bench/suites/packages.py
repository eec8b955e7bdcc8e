"""Measures how long a visitor waits for NumPy, pandas and the first figure, on Pyodide 0.27.7 on both sides."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator

from .. import package_sites
from ..lab import Lab
from ..memory import resident, settled
from ..runner import Bench
from ..table import Row

#: A cell for each row, run one after the other; each time counts from the beginning.
CELLS = {
    "import numpy": "import numpy as np\nassert np.arange(3).sum() == 3",
    "import pandas": "import pandas as pd\nassert pd.Series([1, 2]).sum() == 3",
    "first figure": "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])\nplt.show()",
}
#: Greatest ratios that the project accepts, for the first figure.
LIMITS = {
    "first visit": 0.35,
    "second visit": 0.2,
    "notebook open for 10 s": 0.1,
    "notebook open for 10 s, imported ahead": 0.1,
}
BYTES = 0.8
MEMORY = 0.8
OPEN_S = 10
#: A turn takes about two minutes.
MAX_TURNS = 5


def run(bench: Bench) -> list[Row]:
    bench.folders.update(package_sites.build())
    samples: dict[str, dict[str, list[float]]] = defaultdict(lambda: {"ours": [], "stock": []})
    for turn in range(min(bench.repetitions, MAX_TURNS)):
        # Both sides take turns in being first, since the second one finds a warm file cache.
        for side in ("ours", "stock") if turn % 2 else ("stock", "ours"):
            for name, value in _visits(bench, f"packages-{side}"):
                _take(samples[name][side], value, f"turn {turn}, {side}: {name}")
        for name, value in _open_notebook(bench, "packages-ahead"):
            ahead = samples[f"{name}, imported ahead"]
            ahead["stock"] = samples[name]["stock"]  # the same visits
            _take(ahead["ours"], value, f"turn {turn}, imported ahead: {name}")
    limits = {f"first figure, {visit}": limit for visit, limit in LIMITS.items()}
    limits |= {"transferred, first visit": BYTES, "memory after the first figure": MEMORY}
    return [
        bench.row(name, "MB" if name.startswith(("transferred", "memory")) else "ms", taken, limit=limits.get(name))
        for name, taken in samples.items()
    ]


def _take(samples: list[float], value: float, name: str) -> None:
    samples.append(value)
    print(f"{name} {value:,.0f}", flush=True)


def _visits(bench: Bench, site: str) -> Iterator[tuple[str, float]]:
    """Yield what a visitor measures in two visits, and in a page where a notebook is read before its cells are run."""
    with bench.lab(site, on_disk=True) as lab:
        before = lab.server.sent
        yield from _cells(lab, "first visit", lab.start())
        yield "transferred, first visit", (lab.server.sent - before) / 1e6
        lab.reload()
        yield from _cells(lab, "second visit", lab.start())
    yield from _open_notebook(bench, site)


def _open_notebook(bench: Bench, site: str) -> Iterator[tuple[str, float]]:
    with bench.lab(site) as lab:
        empty = resident(lab)
        begin = time.monotonic()
        lab.js("([name, cells]) => bench.open(name, cells)", [lab.kernel_name, list(CELLS.values())])
        lab.page.wait_for_timeout(max(0, OPEN_S - (time.monotonic() - begin)) * 1000)
        yield from _cells(lab, "notebook open for 10 s")
        yield "memory after the first figure", settled(lab) - empty


def _cells(lab: Lab, visit: str, spent_ms: float = 0) -> Iterator[tuple[str, float]]:
    for name, code in CELLS.items():
        spent_ms += lab.run(code)
        yield f"{name}, {visit}", spent_ms
