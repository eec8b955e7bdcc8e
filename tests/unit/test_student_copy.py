"""``jupyter browsergrad release``: students get labs without what they must not see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.errors import ConfigurationError, LabsError
from jupyterlite_browsergrad.site.student_copy import copy_for_students
from tests.lab_manifest import MANIFEST

SOLUTION = "def find(words, wanted):\n    return words.index(wanted)\n"


def write_lab(folder: Path, **fields: object) -> Path:
    files = {
        "manifest.json": json.dumps({**MANIFEST, **fields}),
        "rubric.py": "assert True\n",
        str(MANIFEST["starter_path"]): "def find(words, wanted): ...\n",
        str(MANIFEST["reference_path"]): SOLUTION,
        "data/words.txt": "ant\n",
        ".ipynb_checkpoints/old.py": SOLUTION,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    hidden = folder.with_name(folder.name + ".hidden")
    hidden.mkdir()
    (hidden / "rubric.py").write_text("assert 'hidden'\n", "utf-8")
    return folder


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


GIVEN = {"manifest.json", "rubric.py", str(MANIFEST["starter_path"]), "data/words.txt"}
REFERENCE = str(MANIFEST["reference_path"])


def test_a_folder_of_labs_is_copied_without_solutions_and_hidden_rubrics(tmp_path: Path) -> None:
    course = tmp_path / "course"
    write_lab(course / "one")
    write_lab(course / "two")
    (course / "README.md").write_text("Welcome", "utf-8")
    done = copy_for_students([course], tmp_path / "copy")
    assert names(tmp_path / "copy") == {"README.md", *(f"{lab}/{name}" for lab in ("one", "two") for name in GIVEN)}
    assert done.labs == 2 and done.warnings == []
    left_out = {path.relative_to(course).as_posix() for path in done.left_out}
    assert left_out == {f"one/{REFERENCE}", "one.hidden", f"two/{REFERENCE}", "two.hidden"}


def test_single_labs_become_folders(tmp_path: Path) -> None:
    labs = [write_lab(tmp_path / "course" / name) for name in ("one", "two")]
    copy_for_students(labs, tmp_path / "copy")
    assert names(tmp_path / "copy") == {f"{lab}/{name}" for lab in ("one", "two") for name in GIVEN}


def test_a_second_copy_changes_what_has_changed_and_keeps_other_files(tmp_path: Path) -> None:
    lab, copy = write_lab(tmp_path / "one"), tmp_path / "copy"
    copy_for_students([lab], copy)
    (copy / ".git").mkdir()
    (copy / ".git" / "config").write_text("mine", "utf-8")
    (copy / "syllabus.md").write_text("mine", "utf-8")
    (lab / "rubric.py").write_text("assert 1\n", "utf-8")
    done = copy_for_students([lab], copy)
    assert done.changed == [copy / "one" / "rubric.py"]
    assert names(copy) == {".git/config", "syllabus.md", *(f"one/{name}" for name in GIVEN)}


def test_solutions_go_that_an_earlier_copy_had(tmp_path: Path) -> None:
    lab, copy = write_lab(tmp_path / "one"), tmp_path / "copy"
    copy_for_students([lab], copy, keep_references=True)
    assert names(copy / "one") == {*GIVEN, REFERENCE}
    assert copy_for_students([lab], copy).removed == [copy / "one" / REFERENCE]
    assert names(copy / "one") == GIVEN


def test_a_solution_in_another_file_is_a_warning(tmp_path: Path) -> None:
    lab = write_lab(tmp_path / "one")
    (lab / "notes.md").write_text(f"The answer:\n{SOLUTION}", "utf-8")
    (warning,) = copy_for_students([lab], tmp_path / "copy").warnings
    assert "can be read in the copy" in warning and "notes.md" in warning


def test_nothing_is_copied_of_labs_with_errors(tmp_path: Path) -> None:
    labs = [write_lab(tmp_path / "one"), write_lab(tmp_path / "two", version="second")]
    with pytest.raises(LabsError, match=r"two/manifest\.json: /version"):
        copy_for_students(labs, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_bad_places_are_told(tmp_path: Path) -> None:
    lab, other = write_lab(tmp_path / "one"), write_lab(tmp_path / "other" / "one")
    (other / "rubric.py").write_text("assert 2\n", "utf-8")
    (tmp_path / "file").write_text("", "utf-8")
    for sources, target, text in [
        ([tmp_path / "none"], "copy", "none does not exist: give the folder of a lab"),
        ([tmp_path / "file"], "copy", "file is a file"),
        ([tmp_path / "one.hidden"], "copy", "holds no lab"),
        ([lab], "one/copy", "contain one another"),
        ([lab], ".", "contain one another"),
        ([lab, other], "copy", "would both become"),
        ([lab], "file/copy", "cannot be written"),
    ]:
        with pytest.raises(ConfigurationError, match=text):
            copy_for_students(sources, tmp_path / target)


def test_a_link_out_of_the_labs_is_refused(tmp_path: Path) -> None:
    lab = write_lab(tmp_path / "one")
    (tmp_path / "secret").write_text("mine", "utf-8")
    (lab / "data" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(ConfigurationError, match="link is a link out of"):
        copy_for_students([lab], tmp_path / "copy")


def test_the_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lab = write_lab(tmp_path / "one")
    assert main(["release", str(lab), "--to", str(tmp_path / "copy")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [f"left out: {lab / REFERENCE}", f"{tmp_path / 'copy'}: 1 lab, 4 files, 4 of them new or changed"]
