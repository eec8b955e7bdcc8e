"""A distribution of another Pyodide."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.wheels import DISTRIBUTION, download, unzip_pyodide


@pytest.fixture(scope="session")
def full_pyodide(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole distribution of Pyodide 0.27.7 (Python 3.12)."""
    folder = Path(request.config.cache.mkdir("wheels"))
    download(folder, DISTRIBUTION)
    return unzip_pyodide(folder, tmp_path_factory.mktemp("pyodide"))
