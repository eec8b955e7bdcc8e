"""Records the module's events, and restores its state after each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SHIM = Path(__file__).resolve().parents[2] / "kernel_shim"
sys.path.insert(0, str(SHIM))

from browsergrad import _sink  # noqa: E402  # found through the path above


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    _sink.reset()
    yield
    _sink.reset()


@pytest.fixture
def events() -> list[dict[str, Any]]:
    """The events that a host gets from the sink that it has installed."""
    record: list[dict[str, Any]] = []
    _sink.install(record.append)
    return record
