"""``jupyter browsergrad import``: courses of nbgrader and otter."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyterlite_browsergrad.cli import main

from .test_assign import NBGRADER, OTTER, cell, graded, write


@pytest.fixture
def course(tmp_path: Path) -> Path:
    source = tmp_path / "course" / "source"
    write(source / "ps1" / "problem1.ipynb", NBGRADER)
    write(source / "ps2" / "problem1.ipynb", NBGRADER)
    write(
        source / "ps1" / "essay.ipynb", [graded("markdown", "Why?", grade=True, solution=True, points=2, grade_id="a")]
    )
    write(source / "ps1" / "notes.ipynb", [cell("markdown", "no assignment")])
    write(tmp_path / "course" / "release" / "ps1" / "problem1.ipynb", NBGRADER)
    write(source / "hw" / "hw01.ipynb", OTTER)
    (source / "ps1" / "data").mkdir()
    (source / "ps1" / "data" / "numbers.csv").write_text("1,2\n", "utf-8")
    (source / "broken.ipynb").write_text("{", "utf-8")
    return tmp_path / "course"


def test_a_course_becomes_labs_and_the_report_says_what_did_not(
    course: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labs = tmp_path / "labs"
    assert main(["import", str(course), "--out", str(labs)]) == 2
    said = capsys.readouterr().out
    assert (tmp_path / "labs-import-report.md").read_text("utf-8").rstrip() == said.rstrip()
    assert "4 of 5 notebooks became labs" in said
    assert "hw01: 3 tests, 1 of them hidden, 3 points" in said
    assert said.count("to grade by hand, 2 points: why (2)") == 2
    assert "broken.ipynb: it is not a notebook of format 4" in said
    assert "essay: 0 tests, 0 of them hidden, 0 points" in said
    assert {path.name for path in labs.iterdir() if path.is_dir()} == {
        f"{name}{end}" for name in ("essay", "ps1-problem1", "ps2-problem1", "hw01") for end in ("", ".hidden")
    }
    assert (labs / "ps1-problem1" / "data" / "numbers.csv").read_text("utf-8") == "1,2\n"
    assert main(["validate", str(labs)]) == 0


def test_an_imported_source_is_edited_and_made_again_and_a_second_import_keeps_that(
    course: Path, tmp_path: Path
) -> None:
    labs = tmp_path / "labs"
    main(["import", str(course / "source" / "hw"), "--out", str(labs)])
    source = labs / "hw01.hidden" / "hw01.ipynb"
    source.write_text(source.read_text("utf-8").replace("Write `thrice`.", "Write three times."), "utf-8")
    assert main(["assign", str(source)]) == 0
    assert "Write three times." in (labs / "hw01" / "hw01.ipynb").read_text("utf-8")
    assert main(["import", str(course / "source" / "hw"), "--out", str(labs)]) == 1
    assert "edited since it was imported" in (tmp_path / "labs-import-report.md").read_text("utf-8")
    assert "Write three times." in source.read_text("utf-8")


def test_where_there_is_nothing_to_import_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(tmp_path), "--out", str(tmp_path / "labs")]) == 2
    assert "no notebook there has nbgrader's metadata" in capsys.readouterr().err
    assert main(["import", str(tmp_path / "none"), "--out", str(tmp_path / "labs")]) == 2
    assert "there is no file or folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
