"""``jupyter browsergrad sync``: the runtime's files in a web project of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyterlite_browsergrad import paths
from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.commands.sync import LIST, PARTS
from jupyterlite_browsergrad.constants import RELEASE_LOCK


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_project_gets_everything_a_page_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "public" / "browsergrad"
    assert main(["sync", str(target)]) == 0
    expected = {f"{part}/{name}" for part in PARTS for name in [LIST, *files(paths.static(part))]}
    assert files(target) == expected - {f"pyodide/{RELEASE_LOCK}"}
    assert (target / "runtime/worker.js").read_bytes() == paths.static("runtime", "worker.js").read_bytes()
    assert "runtime/, pyodide/, kernel/" in capsys.readouterr().out


def test_only_the_folders_that_are_named_are_copied(tmp_path: Path) -> None:
    assert main(["sync", str(tmp_path), "--only", "runtime"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"runtime"}


def test_a_second_run_writes_what_differs_and_removes_what_was_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["sync", str(tmp_path), "--only", "kernel"])
    kernel = tmp_path / "kernel"
    (kernel / "manifest.json").write_text("{}", "utf-8")
    (kernel / "site.old.pack.gz").write_bytes(b"of an earlier version")
    (kernel / "mine.txt").write_bytes(b"of somebody else")
    outside = tmp_path / "outside.txt"
    outside.write_bytes(b"not ours either")
    listed = [*json.loads((kernel / LIST).read_text("utf-8")), "site.old.pack.gz", "../outside.txt", str(outside)]
    (kernel / LIST).write_text(json.dumps(listed), "utf-8")
    capsys.readouterr()
    assert main(["sync", str(tmp_path), "--only", "kernel"]) == 0
    assert "files written: 1" in capsys.readouterr().out
    assert files(kernel) == {LIST, "mine.txt", *files(paths.static("kernel"))}
    assert outside.is_file()


def test_a_file_in_the_way_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_bytes(b"")
    assert main(["sync", str(tmp_path / "taken")]) == 2
    assert str(tmp_path / "taken" / "runtime") in capsys.readouterr().err
