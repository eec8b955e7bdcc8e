"""The places where the built labextension is searched for."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyterlite_browsergrad import paths
from jupyterlite_browsergrad.errors import AssetsNotFoundError, BrowsergradError


@pytest.fixture
def elsewhere(monkeypatch, tmp_path):
    """Remove the source tree and this distribution's files from the search."""
    monkeypatch.setattr(paths, "HERE", tmp_path / "package")
    monkeypatch.setattr(paths, "LABEXTENSION", "no-such-distribution")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    return tmp_path


def make(folder: Path) -> Path:
    (folder / "static/kernel").mkdir(parents=True)
    (folder / "static/kernel/manifest.json").write_text("{}", "utf-8")
    return folder


def test_the_source_tree_comes_first(elsewhere):
    make(elsewhere / "data/labextensions/no-such-distribution")
    source = make(elsewhere / "package/labextension")
    assert paths.labextension() == source


def test_jupyters_data_folders_come_last(elsewhere):
    installed = make(elsewhere / "data/labextensions/no-such-distribution")
    assert paths.static("kernel", "manifest.json") == installed / "static/kernel/manifest.json"


def test_nothing_found_names_the_places_and_the_remedy(elsewhere):
    with pytest.raises(AssetsNotFoundError, match=r"(?s)package.labextension.*run: python scripts/build\.py") as caught:
        paths.labextension()
    assert isinstance(caught.value, BrowsergradError)
    assert isinstance(caught.value, FileNotFoundError)
