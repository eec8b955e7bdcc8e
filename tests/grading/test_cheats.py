"""Wrong solutions that try to pass, and honest ones that must pass, graded in real sandboxes in both forms of rubric."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad.cli import main

from .cheats import ALL_NAMES, CHEATS, RUBRIC, SHARED, WRONG
from .labs import APART, GOOD, write_lab

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "howto" / "grading.md"
LABS = ROOT / "examples" / "labs"
#: Only reached after a hang. Some of the cheats hang.
LIMITS = ["--timeout", "300", "--memory", "512", "--cell-timeout", "100", "--jobs", "2"]
CHEATS_S = ["--cell-timeout", "20"]
#: About this many cheats are tried beside those that pass in the shared form. `ALL_CHEATS=1` tries all, before a release.
SOME = 5

pytestmark = pytest.mark.timeout(3600)


def grade(folder: Path, lab: Path, form: str, *more: str) -> dict[str, dict[str, Any]]:
    """The results by the submission's file name."""
    out = folder / f"{lab.name}-{form}.jsonl"
    assert main(["grade", str(lab), str(folder / "in"), "--out", str(out), "--rubric", form, *LIMITS, *more]) == 0
    return {Path(line["submission"]).stem: line for line in map(json.loads, out.read_text("utf-8").splitlines())}


def tried() -> set[str]:
    """The names of the cheats that a run tries."""
    if os.environ.get("ALL_CHEATS"):
        return set(CHEATS)
    return {*SHARED, *sorted(set(CHEATS) - SHARED)[:: len(CHEATS) // SOME]}


@pytest.fixture(scope="module", params=["apart", "shared"])
def graded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, dict[str, Any]]]:
    folder = tmp_path_factory.mktemp(request.param)
    write_lab(folder / "lab", rubric=RUBRIC)
    (folder / "in").mkdir()
    for name in tried():
        (folder / "in" / f"{name}.py").write_text(WRONG + CHEATS[name], "utf-8")
    (folder / "in" / "good.py").write_text(GOOD, "utf-8")
    return request.param, grade(folder, folder / "lab", request.param, *CHEATS_S)


def test_no_cheat_passes_apart_and_only_the_listed_ones_shared(graded: tuple[str, dict[str, dict[str, Any]]]) -> None:
    form, results = graded
    assert set(results) == {*tried(), "good"}
    assert results["good"]["passed"] and results["good"]["counts"]["pass"] == len(ALL_NAMES), results["good"]
    assert all(result["rubric"] == form for result in results.values())
    passing = {name for name in tried() if results[name]["passed"]}
    assert passing <= (SHARED if form == "shared" else set())
    # Of those that can pass, one or another may miss its moment, since the objects it looks for come and go.
    assert form == "apart" or len(passing) > len(SHARED) // 2


def test_the_page_lists_what_passes_in_the_shared_form() -> None:
    assert len(CHEATS) >= 60 and set(CHEATS) >= SHARED
    (listed,) = re.findall(r"<!-- cheats that pass -->\n(.*?)\n\n", PAGE.read_text("utf-8"), re.DOTALL)
    named = {name for line in listed.splitlines() for name in re.findall(r"\*(.+?)\*", line.partition(":")[0])}
    assert named == SHARED


@pytest.mark.thinned(2)
@pytest.mark.parametrize("form", ["apart", "shared"])
@pytest.mark.parametrize("name", ["single-neuron", "text-statistics"])
def test_the_example_labs_pass_in_both_forms_and_their_starters_do_not(tmp_path: Path, name: str, form: str) -> None:
    (tmp_path / "in").mkdir()
    for role in ("reference", "starter"):
        (tmp_path / "in" / f"{role}.py").write_bytes((LABS / name / f"{role}.py").read_bytes())
    results = grade(tmp_path, LABS / name, form)
    assert results["reference"]["passed"], results["reference"]
    assert not results["starter"]["passed"] and results["starter"]["rubric"] == form


@pytest.mark.release
def test_check_says_that_the_example_labs_run_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(LABS), "--jobs", "2"]) == 0
    said = capsys.readouterr().out
    assert said.count("the rubric runs apart from submissions") == 2 and said.count("manifest.json: ok") == 2


@pytest.mark.release
def test_a_rubric_that_needs_the_live_objects_falls_back_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rubric = RUBRIC + "\nwith bg.check('live'):\n    assert find.__globals__['find'] is find\n"
    write_lab(tmp_path / "lab", rubric=rubric)
    (tmp_path / "one.py").write_text(GOOD, "utf-8")
    out = tmp_path / "results.jsonl"
    assert main(["check", str(tmp_path / "lab"), *LIMITS[-2:]]) == 0
    assert (
        "the rubric shares an interpreter with submissions: the reference comes out differently apart"
        in capsys.readouterr().out
    )
    assert main(["grade", str(tmp_path / "lab"), str(tmp_path / "one.py"), "--out", str(out), *LIMITS]) == 0
    (line,) = map(json.loads, out.read_text("utf-8").splitlines())
    assert line["passed"] and line["rubric"] == "shared" and "'live'" in line["rubric_why"]


def test_a_hidden_rubric_grades_in_the_place_of_the_published_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lab(tmp_path / "lab")
    hidden = tmp_path / "lab.hidden" / "rubric.py"
    hidden.parent.mkdir()
    hidden.write_text("import browsergrad as bg\nwith bg.check('hidden'):\n    assert find(['x'], 'x') == 0\n", "utf-8")
    given = tmp_path / "other.py"
    given.write_text(hidden.read_text("utf-8").replace("hidden", "given"), "utf-8")
    (tmp_path / "one.py").write_text(GOOD, "utf-8")
    for name, more in (("hidden", []), ("given", ["--rubric-file", str(given)])):
        out = tmp_path / f"{name}.jsonl"
        arguments = [str(tmp_path / "lab"), str(tmp_path / "one.py"), "--out", str(out), *more, *APART]
        assert main(["grade", *arguments, *LIMITS]) == 0
        (line,) = map(json.loads, out.read_text("utf-8").splitlines())
        assert line["passed"] and [each["name"] for each in line["assertions"]] == [name]
    assert main(["check", str(tmp_path / "lab"), *LIMITS[-2:]]) == 0
    assert capsys.readouterr().out.count("runs apart from submissions") >= 1
