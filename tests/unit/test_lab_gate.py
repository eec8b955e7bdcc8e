"""The check that a server kernel makes before each cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from test_lab_folders import make_lab, make_notebook

from jupyterlite_browsergrad.labs.gate import refusal


def test_a_folder_without_a_manifest_is_ordinary(tmp_path: Path) -> None:
    assert refusal(tmp_path) is None
    assert refusal(tmp_path, make_notebook(tmp_path / "nb.ipynb")) is None
    assert refusal(tmp_path, tmp_path / "not-saved.ipynb") is None


def test_a_good_lab_may_run(tmp_path: Path) -> None:
    make_lab(tmp_path)
    assert refusal(tmp_path) is None


@pytest.mark.parametrize("pin", ["^0.9.0", "~0.8.99", "1.0.0"])
def test_another_pin_is_refused(tmp_path: Path, pin: str) -> None:
    make_lab(tmp_path, requires_browsergrad=pin)
    assert refusal(tmp_path) == f"lab requires {pin}, runtime is 0.8.1"


def test_a_bad_manifest_is_refused_with_all_its_errors(tmp_path: Path) -> None:
    make_lab(tmp_path, id="No", extra=1)
    text = refusal(tmp_path)
    assert text is not None
    assert "/id: " in text
    assert "/extra: " in text


def test_the_manifest_that_the_notebook_names_counts(tmp_path: Path) -> None:
    make_lab(tmp_path / "deep", requires_browsergrad="1.0.0")
    notebook = make_notebook(tmp_path / "nb.ipynb", browsergrad={"manifest": "deep/manifest.json"})
    assert refusal(tmp_path, notebook) == "lab requires 1.0.0, runtime is 0.8.1"


@pytest.mark.parametrize("named", ["gone.json", "../manifest.json", "/etc/manifest.json", 1, None])
def test_a_name_that_leads_nowhere_is_refused(tmp_path: Path, named: Any) -> None:
    notebook = make_notebook(tmp_path / "nb.ipynb", browsergrad={"manifest": named})
    assert refusal(tmp_path, notebook) is not None


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").mkdir()
    assert "could not be found out" in str(refusal(tmp_path))
    broken = tmp_path / "nb.ipynb"
    broken.write_text("{", "utf-8")
    assert "could not be found out" in str(refusal(tmp_path / "other", broken))
