"""One sandbox for the tests that leave it usable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the sandbox sees."""
    return tmp_path_factory.mktemp("folder")


@pytest.fixture(scope="module")
def sandbox(folder: Path) -> Iterator[Sandbox]:
    with Sandbox(folder) as sandbox:
        yield sandbox
