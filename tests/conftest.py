"""Chooses the tests of `make test`: not those that are slow and rare, and parts of long tables. Gives all folders a distribution."""

from __future__ import annotations

import os
import random
import re
import zlib
from collections import defaultdict
from pathlib import Path

import pytest

from tests.wheels import DISTRIBUTION, download, unzip_pyodide


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "release: a slow test of something that seldom breaks by itself. `make test-release` runs it, `make test` does not",
    )
    config.addinivalue_line(
        "markers",
        "hosts: a test in a program that `make test-hosts` installs. No other target runs it",
    )
    config.addinivalue_line(
        "markers",
        "thinned(step): a long table of slow entries. `make test` tries one entry in so many, in plain pages other ones than in "
        "isolated pages; `make test-release` tries all",
    )
    config.addinivalue_line(
        "markers",
        "modes(*ids): a check of all engines that `make test` runs in these modes of a browser alone. `make test-release` runs it in all",
    )
    config.addinivalue_line("markers", "engines(*names): a check of what these engines alone have")
    config.addinivalue_line(
        "markers",
        "pages(kind): tests of what is alike in isolated and plain pages. `make test` runs them in one kind of page, `isolated` or `plain`, "
        "or each test in `either`; `make test-release` runs all in both",
    )


@pytest.fixture(scope="session")
def full_pyodide(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole distribution of Pyodide 0.27.7 (Python 3.12)."""
    folder = Path(request.config.cache.mkdir("wheels"))
    download(folder, DISTRIBUTION)
    return unzip_pyodide(folder, tmp_path_factory.mktemp("pyodide"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests for releases and entries of long tables, unless all are wanted or one is named."""
    named = any("::" in argument for argument in config.args)
    if not os.environ.get("ALL_HOSTS") and not named:
        _leave_out(config, items, {item.nodeid for item in items if item.get_closest_marker("hosts")})
    absent = {
        item.nodeid
        for item in items
        if (marker := item.get_closest_marker("engines"))
        and not any(f"[{name}-" in item.nodeid for name in marker.args)
    }
    _leave_out(config, items, absent)
    if os.environ.get("ALL_STARTS") or named:
        return
    left_out = {
        item.nodeid
        for item in items
        if item.get_closest_marker("release")
        or (
            (marker := item.get_closest_marker("pages"))
            and _kind_of_page(item) not in (None, _wanted(item, *marker.args))
        )
        or ((marker := item.get_closest_marker("modes")) and not any(f"[{mode}" in item.nodeid for mode in marker.args))
    }
    tables: dict[tuple[str, bool], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("thinned") and item.nodeid not in left_out:
            tables[item.nodeid.split("[")[0], "plain" in item.name].append(item)
    for (name, is_plain), entries in tables.items():
        marker = entries[0].get_closest_marker("thinned")
        assert marker is not None
        (step,) = marker.args
        share = -(-len(entries) // step)
        shuffled = random.Random(name).sample(entries, len(entries))  # the same entries in every run
        kept = shuffled[share : 2 * share] if is_plain else shuffled[:share]
        left_out.update({item.nodeid for item in entries} - {item.nodeid for item in kept})
    _leave_out(config, items, left_out)


def _leave_out(config: pytest.Config, items: list[pytest.Item], left_out: set[str]) -> None:
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
        items[:] = [item for item in items if item.nodeid not in left_out]


def _kind_of_page(item: pytest.Item) -> str | None:
    """Return "isolated" or "plain"; None for a test that does not run in each."""
    parameters = getattr(item, "callspec", None)
    kinds = {"isolated", "plain"}.intersection(re.split("-|, ", parameters.id) if parameters else ())
    return kinds.pop() if len(kinds) == 1 else None


def _wanted(item: pytest.Item, kind: str) -> str:
    """Return the kind of page in which a test runs: for `either` one that is the same in every run."""
    if kind != "either":
        return kind
    name = re.sub("isolated|plain", "", item.nodeid)
    return "isolated" if zlib.crc32(name.encode()) % 2 else "plain"
