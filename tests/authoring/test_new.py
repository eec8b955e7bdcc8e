"""``jupyter browsergrad new``."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat
import pytest

from jupyterlite_browsergrad.authoring.new_lab import TEMPLATES
from jupyterlite_browsergrad.authoring.notebooks import kebab_case
from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.commands import new


def test_the_command_offers_every_template() -> None:
    assert tuple(TEMPLATES) == new.TEMPLATES


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_new_lab_is_valid_without_a_warning(
    template: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "course" / "My first lab"
    assert main(["new", str(folder), "--template", template]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == f"Edit these files, then run: jupyter browsergrad check {folder}"
    assert {Path(line) for line in said[:-1]} == {path for path in folder.rglob("*") if path.is_file()}
    assert json.loads((folder / "manifest.json").read_text("utf-8"))["id"] == "my-first-lab"
    assert main(["validate", str(folder)]) == 0
    assert capsys.readouterr().out == f"ok: {folder}/manifest.json: my-first-lab 1.0.0\n"


def test_new_labs_pass_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    templates = list(TEMPLATES) if os.environ.get("ALL_STARTS") else ["data"]  # each takes a minute
    for template in templates:
        main(["new", str(tmp_path / template), "--template", template])
    capsys.readouterr()
    assert main(["check", str(tmp_path), "--jobs", "2"]) == 0
    said = capsys.readouterr().out
    assert said.count("manifest.json: ok") == len(templates)
    assert said.count("runs apart from submissions") == len(templates)


def test_notebooks_of_a_new_lab_follow_their_format(tmp_path: Path) -> None:
    main(["new", str(tmp_path / "lab"), "--template", "notebook"])
    for path in (tmp_path / "lab").glob("*.ipynb"):
        nbformat.validate(nbformat.read(path, as_version=4))


def test_what_is_in_the_way_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "manifest.json").write_text("my work", "utf-8")
    assert main(["new", str(tmp_path / "mine")]) == 2
    assert "is not empty, and nothing there is overwritten" in capsys.readouterr().err
    assert (tmp_path / "mine" / "manifest.json").read_text("utf-8") == "my work"

    (tmp_path / "file").write_text("my work", "utf-8")
    assert main(["new", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert main(["new", str(tmp_path / "été")]) == 0  # some of its letters are ASCII
    assert main(["new", str(tmp_path / "数")]) == 2
    assert "needs letters or digits of ASCII" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "identifier"),
    [("search", "search"), ("Week 1: Sorting", "week-1-sorting"), ("linearSearch_2", "linear-search-2"), ("…", "")],
)
def test_ids_are_in_kebab_case(name: str, identifier: str) -> None:
    assert kebab_case(name) == identifier
