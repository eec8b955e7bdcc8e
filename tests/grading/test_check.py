"""``jupyter browsergrad check`` in real sandboxes."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyterlite_browsergrad.cli import main

from .labs import GOOD, STARTER, write_lab


def test_a_good_lab_is_ok_and_bad_ones_say_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lab(tmp_path / "good")
    assert main(["check", str(tmp_path / "good"), "--jobs", "2"]) == 0
    assert capsys.readouterr().out.endswith("manifest.json: ok\n")

    write_lab(tmp_path / "wrong", reference=STARTER)
    write_lab(tmp_path / "idle", starter=GOOD)
    assert main(["check", str(tmp_path), "--jobs", "2"]) == 1
    said = capsys.readouterr().out
    assert "good/manifest.json: ok" in said
    assert "the reference reference.py does not pass 'finds the first'" in said
    assert "the starter starter.py passes the rubric, which therefore shows nothing" in said


def test_where_there_is_no_lab_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 1
    assert "there is no lab at" in capsys.readouterr().err


def test_nothing_is_graded_when_the_reference_does_not_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lab(tmp_path / "lab", reference=STARTER)
    (tmp_path / "one.py").write_text(GOOD, "utf-8")
    out = tmp_path / "results.jsonl"
    assert main(["grade", str(tmp_path / "lab"), str(tmp_path / "one.py"), "--out", str(out)]) == 1
    assert "does not pass the rubric, so nothing is graded" in capsys.readouterr().err
    assert out.read_bytes() == b""
