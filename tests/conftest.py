"""Shortens long tables of tests for `make test`."""

from __future__ import annotations

import os
import random
from collections import defaultdict

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "thinned(step): a long table of slow entries. `make test` tries one entry in so many, in plain pages other ones than in "
        "isolated pages; `make test-release` tries all",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out entries of long tables, unless all are wanted or one is named."""
    if os.environ.get("ALL_STARTS") or any("::" in argument for argument in config.args):
        return
    tables: dict[tuple[str, bool], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if item.get_closest_marker("thinned"):
            tables[item.nodeid.split("[")[0], "plain" in item.name].append(item)
    left_out: set[str] = set()
    for (name, is_plain), entries in tables.items():
        marker = entries[0].get_closest_marker("thinned")
        assert marker is not None
        (step,) = marker.args
        share = -(-len(entries) // step)
        shuffled = random.Random(name).sample(entries, len(entries))  # the same entries in every run
        kept = shuffled[share : 2 * share] if is_plain else shuffled[:share]
        left_out.update({item.nodeid for item in entries} - {item.nodeid for item in kept})
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
        items[:] = [item for item in items if item.nodeid not in left_out]
