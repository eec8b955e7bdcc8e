"""``jupyter browsergrad demo``: the sites that it builds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad import paths
from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.commands import demo
from jupyterlite_browsergrad.site.choice import SiteImports
from jupyterlite_browsergrad.site.imports import files_of
from jupyterlite_browsergrad.site.release import embedded_lock


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, Any]]]:
    """The contents and settings of each build, which does not run."""
    made: list[tuple[list[str], dict[str, Any]]] = []

    def run(command: list[str], *, cwd: Path, check: bool) -> subprocess.CompletedProcess[bytes]:
        config = cwd / "jupyter_lite_config.json"
        contents = [Path(command[place + 1]).name for place, word in enumerate(command) if word == "--contents"]
        made.append((contents, json.loads(config.read_text("utf-8")) if config.is_file() else {}))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(demo.subprocess, "run", run)
    return made


def test_the_demo_needs_no_network_and_says_how_to_get_the_lab_with_numpy(
    builds: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--no-serve", "--output-dir", str(tmp_path)]) == 0
    assert builds == [(["demo", "labs"], {})]
    assert "jupyter browsergrad demo --with-numpy" in capsys.readouterr().out


def test_with_numpy_the_demo_has_the_lab_and_what_it_imports(
    builds: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    assert main(["demo", "--with-numpy", "--no-serve", "--output-dir", str(tmp_path)]) == 0
    settings = {
        "BrowsergradAddon": {"packages": ["auto"]},
        "LiteBuildConfig": {"cache_dir": str(tmp_path / "data/browsergrad/cache")},
    }
    assert builds == [(["demo", "labs", "labs-numpy"], settings)]
    imports = SiteImports(files_of(demo.examples(("labs-numpy",))), paths.static("kernel"))
    lock = embedded_lock(paths.static("pyodide"), {})
    assert list(imports.choose(lock).packages) == ["matplotlib", "numpy"]
    assert imports.missing([lock]) == {}
