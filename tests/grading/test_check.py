"""``jupyter browsergrad check`` in real sandboxes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from jupyterlite_browsergrad import paths
from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.server_kernel.sandbox import Sandbox

from .labs import GOOD, STARTER, write_lab


def test_a_good_lab_is_ok_and_bad_ones_say_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lab(tmp_path / "good")
    write_lab(tmp_path / "wrong", reference=STARTER)
    write_lab(tmp_path / "idle", starter=GOOD)
    assert main(["check", str(tmp_path), "--jobs", "2"]) == 1
    said = capsys.readouterr().out
    assert "good/manifest.json: ok" in said
    assert "the reference reference.py does not pass 'finds the first'" in said
    assert "the starter starter.py passes the rubric, which therefore shows nothing" in said


@pytest.mark.release
def test_what_depends_on_how_python_starts_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Sandbox() as sandbox:
        result = sandbox.execute("hash('ant')")
    frozen = result.of("execute_result")[0]["data"]["text/plain"]
    # A snapshot's hashes are those of the machine where it was made.
    reference = GOOD + f"\nif hash('ant') != {frozen}:\n    del find\n"
    write_lab(tmp_path / "lab", reference=reference, starter=f"if hash('ant') == {frozen}:\n    1 / 0\n")
    assert main(["check", str(tmp_path), "--jobs", "2"]) == 1
    said = capsys.readouterr().out
    assert "the reference reference.py does not pass 'says -1'" in said
    assert (
        "the reference reference.py comes out differently when Python starts from its files: "
        "counts: {'pass': 3, 'fail': 0, 'error': 0} from the snapshot, {'pass': 0, 'fail': 0, 'error': 3} from the files"
    ) in said
    assert "the starter starter.py comes out differently" in said
    assert "error: ('runtime', 'ZeroDivisionError') from the snapshot, None from the files" in said


@pytest.mark.release
def test_a_snapshot_that_does_not_work_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lab(tmp_path / "lab")
    static = tmp_path / "static"
    shutil.copytree(paths.static(), static)
    (snapshot,) = (static / "kernel").glob("snapshot.*")
    snapshot.write_bytes(snapshot.read_bytes()[:-1000])
    monkeypatch.setattr(paths, "static", lambda *names: static.joinpath(*names))
    assert main(["check", str(tmp_path / "lab"), "--jobs", "2"]) == 1
    assert "no Python started from its memory snapshot for the reference reference.py" in capsys.readouterr().out


def test_where_there_is_no_lab_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 2
    assert "there is no lab at" in capsys.readouterr().err


def test_nothing_is_graded_when_the_reference_does_not_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lab(tmp_path / "lab", reference=STARTER)
    (tmp_path / "one.py").write_text(GOOD, "utf-8")
    out = tmp_path / "results.jsonl"
    assert main(["grade", str(tmp_path / "lab"), str(tmp_path / "one.py"), "--out", str(out)]) == 1
    assert "does not pass the rubric, so nothing is graded" in capsys.readouterr().err
    assert out.read_bytes() == b""
