"""Measures both kernels in turn, and takes medians."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import sync_playwright

from scripts.chromium import chromium

from .lab import FLAGS, Lab, Server, lab_in, open_lab
from .table import Row

#: A function that measures something in a fresh page and returns one sample.
Measure = Callable[[Lab], float]


class Bench:
    """The browser and the served sites. Each suite gets this object.

    Parameters
    ----------
    folders
        Built sites by name, see `sites.build`.
    repetitions
        How often each side is measured.
    quick
        Whether this run only shows that the suites work, and not how fast the kernels are.
    """

    def __init__(self, folders: dict[str, Path], repetitions: int, quick: bool = False) -> None:
        self.folders = folders
        self.repetitions = repetitions
        self.quick = quick
        self._servers: dict[tuple[str, bool], Server] = {}

    def __enter__(self) -> Bench:
        self._playwright = sync_playwright().start()
        self.browser = self._playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        self.browser_version = self.browser.version
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.browser.close()
        self._playwright.stop()
        for server in self._servers.values():
            server.close()

    @contextmanager
    def lab(self, which: str, isolated: bool = False, *, on_disk: bool = False) -> Iterator[Lab]:
        """Open a page of a site (see `sites.build`) in a fresh profile.

        With `on_disk` the profile is in a folder, as a visitor's is: it keeps long files and compiled code for the next visit.
        """
        key = (which, isolated)
        if key not in self._servers:
            self._servers[key] = Server(self.folders[which], isolated)
        server = self._servers[key]
        with self.visitor(server, which) if on_disk else open_lab(self.browser, server, which) as lab:
            yield lab

    @contextmanager
    def visitor(self, server: Server, which: str) -> Iterator[Lab]:
        """Open a page in a new profile on the disk, whose cache has room for all files of a site. That of `lab` has not, as it is in memory."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            context = self._playwright.chromium.launch_persistent_context(
                folder, executable_path=chromium(), args=FLAGS, headless=True
            )
            with lab_in(context, server, which) as lab:
                yield lab

    @contextmanager
    def optimised(self) -> Iterator[None]:
        """Let labs open in a browser that optimises all of WebAssembly's code before it runs, and not what runs often, later."""
        usual = self.browser
        self.browser = self._playwright.chromium.launch(
            executable_path=chromium(), args=[*FLAGS, "--js-flags=--no-wasm-dynamic-tiering"]
        )
        try:
            yield
        finally:
            self.browser.close()
            self.browser = usual

    def compare(
        self,
        name: str,
        measure: Measure,
        *,
        unit: str = "ms",
        ours: str = "ours",
        stock: bool = True,
        isolated: bool = False,
        limit: float | None = None,
    ) -> Row:
        """Measure both sides in turn, each time in a page of a fresh profile.

        Parameters
        ----------
        name
            Name of the row.
        measure
            Gets a page and returns one sample.
        ours
            The site that stands for our side, see `sites.build`.
        stock
            Whether the stock kernel is measured too.
        isolated
            Whether the pages are cross-origin isolated.
        limit
            Greatest ratio that the project accepts; shown in the table.
        """
        sides = {"ours": ours, **({"stock": "stock"} if stock else {})}
        samples: dict[str, list[float]] = {side: [] for side in sides}
        for turn in range(self.repetitions):
            # Both sides take turns in being first, since the second one finds a warm file cache.
            for side in list(sides) if turn % 2 else list(reversed(sides)):
                with self.lab(sides[side], isolated) as lab:
                    samples[side].append(measure(lab))
        return self.row(name, unit, samples, isolated=isolated, limit=limit)

    def row(
        self,
        name: str,
        unit: str,
        samples: dict[str, list[float]],
        *,
        isolated: bool = False,
        limit: float | None = None,
        stock_plain: bool = False,
    ) -> Row:
        """Make a row from samples that a suite has taken itself.

        Parameters
        ----------
        samples
            Those of our kernel as ``ours`` and, if there are any, those of the stock kernel as ``stock``.
        """
        ours = statistics.median(samples["ours"])
        stock = statistics.median(samples["stock"]) if samples.get("stock") else None
        row = Row(
            name=name,
            unit=unit,
            ours=ours,
            stock=stock,
            ratio=ours / stock if stock else None,
            samples=samples,
            isolated=isolated,
            limit=limit,
            stock_plain=stock_plain,
        )
        print(row, flush=True)
        return row
