"""nbgrader's own example course: nbgrader and `grade` give the same points for the same notebooks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad.cli import main

pytestmark = [
    pytest.mark.skipif(not os.environ.get("ALL_STARTS"), reason="runs with ALL_STARTS=1: make test-release"),
    pytest.mark.timeout(3600),  # nbgrader and its dependencies are installed first
]

#: Runs in an environment with nbgrader: makes the release, grades all submissions, and prints the points of each cell.
GRADE = """
import json, shutil, sys
from pathlib import Path

import nbgrader
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

course = Path(sys.argv[1])
example = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide"
shutil.copytree(example / "source" / "ps1", course / "source" / "ps1")
shutil.copytree(example / "submitted", course / "submitted")
config = Config()
config.CourseDirectory.root = str(course)
config.CourseDirectory.db_url = f"sqlite:///{course / 'gradebook.db'}"
config.ExecutePreprocessor.kernel_name = "python3"
api = NbGraderAPI(config=config)
made = api.generate_assignment("ps1")
assert made["success"], made
for student, folder in (("reference", "source"), ("starter", "release")):
    shutil.copytree(course / folder / "ps1", course / "submitted" / student / "ps1")
# One student changes what the tests above use, which are judged where they are.
shutil.copytree(course / "source" / "ps1", course / "submitted" / "again" / "ps1")
changed = course / "submitted" / "again" / "ps1" / "problem1.ipynb"
content = json.loads(changed.read_text("utf-8"))
last = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": "squares = sum_of_squares = None"}
changed.write_text(json.dumps(content | {"cells": [*content["cells"], last]}), "utf-8")
students = sorted(path.name for path in (course / "submitted").iterdir() if (path / "ps1").is_dir())
found = {}
for student in students:
    done = api.autograde("ps1", student)
    assert done["success"], done
with Gradebook(config.CourseDirectory.db_url) as book:
    for student in students:
        submission = book.find_submission("ps1", student)
        found[student] = {
            notebook.name: {grade.name: [grade.auto_score, grade.max_score] for grade in notebook.grades}
            for notebook in submission.notebooks
        }
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """nbgrader's example course and nbgrader's points: student -> notebook -> cell -> points (None if a person gives them), and the most."""
    root = tmp_path_factory.mktemp("nbgrader")
    subprocess.run([sys.executable, "-m", "venv", root / "venv"], check=True)
    python = root / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "nbgrader==0.9.6", "ipykernel"], check=True)
    (root / "course").mkdir()
    path = f"{root / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"  # nbgrader runs the command alembic
    environment = {**os.environ, "JUPYTER_PREFER_ENV_PATH": "1", "PYTHONWARNINGS": "ignore", "PATH": path}
    done = subprocess.run(
        [python, "-c", GRADE, root / "course"], check=True, stdout=subprocess.PIPE, text=True, env=environment, cwd=root
    )
    return root / "course", json.loads(done.stdout.splitlines()[-1])


def test_points_are_those_that_nbgrader_gives_for_the_same_submissions(
    course: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    root, theirs = course
    assert set(theirs) == {"again", "bitdiddle", "hacker", "reference", "starter"}
    labs = tmp_path / "labs"
    assert main(["import", str(root / "source"), "--out", str(labs)]) == 0
    assert main(["check", str(labs)]) == 0
    for name in ("problem1", "problem2"):
        handed = tmp_path / name
        for student in theirs:
            (handed / student).mkdir(parents=True)
            shutil.copyfile(root / "submitted" / student / "ps1" / f"{name}.ipynb", handed / student / "work.ipynb")
        out = tmp_path / f"{name}.jsonl"
        assert main(["grade", str(labs / name), str(handed), "--out", str(out)]) == 0
        ours = {
            Path(line["submission"]).parent.name: line for line in map(json.loads, out.read_text("utf-8").splitlines())
        }
        by_hand = json.loads((labs / f"{name}.hidden" / "manual.json").read_text("utf-8"))["questions"]
        for student, notebooks in theirs.items():
            cells = notebooks[name]
            scored = {cell: tuple(scores) for cell, scores in cells.items() if scores[0] is not None}
            checks = {
                each["name"]: (each["earned"], each["points"]) for each in ours[student]["assertions"] if each["points"]
            }
            hand = {each["name"] for each in by_hand}
            assert checks == {cell: scores for cell, scores in scored.items() if cell not in hand}, student
            assert {each["name"]: each["points"] for each in by_hand} == {
                cell: most for cell, (_, most) in cells.items() if cell not in checks
            }
        assert ours["reference"]["passed"]
        assert theirs["again"] == theirs["reference"]
    earned = {student: sum(scores[0] or 0 for scores in theirs[student]["problem1"].values()) for student in theirs}
    assert earned["starter"] == 0 < earned["bitdiddle"] < earned["reference"] == 3


def test_what_nbgrader_computes_itself_is_named_line_by_line(
    course: tuple[Path, dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = next((course[0].parent / "venv" / "lib").glob("*/site-packages/nbgrader/docs/source/user_guide/source"))
    assert main(["import", str(example / "ps1_autotest"), "--out", str(tmp_path / "labs")]) == 0
    report = capsys.readouterr().out
    assert report.count("has an AUTOTEST line") == 10 and "`assert squares(1) == …`" in report
    # Nothing of these cells is left that would give points to everybody.
    assert "problem1: 0 tests, 0 of them hidden, 0 points" in report
    assert "to grade by hand, 7 points" in report and "to grade by hand, 3 points" in report


READ = """
import json, sys

from nbgrader.api import Gradebook

with Gradebook(f"sqlite:///{sys.argv[1]}") as book:
    (notebook,) = [each for each in book.find_submission("ps1", "ada").notebooks if each.name == "problem1"]
    scores = {each.name: [each.auto_score, each.manual_score, each.needs_manual_grade] for each in notebook.grades}
    print(json.dumps([scores, {each.name: each.manual_comment for each in notebook.comments}]))
"""


def test_results_are_written_into_nbgraders_database(course: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    root, _ = course
    database = tmp_path / "gradebook.db"
    shutil.copyfile(root / "gradebook.db", database)
    checks = {"correct_squares": 1, "squares_invalid_input": 1, "correct_sum_of_squares": 0.5, "another": 2}
    assertions = [{"kind": "pass", "name": name, "points": points, "earned": points} for name, points in checks.items()]
    line = {
        "submission": "in/ada.ipynb", "lab": "problem1", "passed": False, "counts": {"pass": 4, "fail": 0, "error": 0},
        "points": {"earned": 4.5, "possible": 5}, "assertions": assertions, "missing": ["sum_of_squares_uses_squares"], "error": None,
    }  # fmt: skip
    (tmp_path / "results.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    (tmp_path / "manual.csv").write_text(
        "question,submission,possible,points,comment\nsum_of_squares_equation,in/ada.ipynb,1,0.5,Nearly\n"
        "sum_of_squares_application,in/ada.ipynb,2,,\n",
        "utf-8",
    )
    python = root.parent / "venv" / "bin" / "python"
    repository = Path(__file__).parents[2]
    environment = {
        **os.environ,
        "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{repository}{os.pathsep}{repository / 'kernel_shim'}",
        "PYTHONWARNINGS": "ignore",
    }
    command = [python, "-m", "jupyterlite_browsergrad", "gradebook", "results.jsonl", "--manual", "manual.csv"]
    wrong = subprocess.run(
        [*command, "--nbgrader-db", database, "--nbgrader-notebook", "ps1/problem9"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert wrong.returncode == 2 and "has no notebook 'ps1/problem9'" in wrong.stderr
    assert "ps1/problem1, ps1/problem2" in wrong.stderr
    assert database.read_bytes() == (root / "gradebook.db").read_bytes()
    done = subprocess.run(
        [*command, "--nbgrader-db", database],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "gradebook.db: 6 cells of 1 students" in done.stdout, done.stderr
    assert "has no cell 'another'" in done.stderr and "1 answers are not graded yet" in done.stderr
    read = subprocess.run(
        [python, "-c", READ, database], env=environment, check=True, stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    scores, comments = json.loads(read.stdout)
    assert scores["correct_sum_of_squares"] == [0.5, None, False]
    assert scores["sum_of_squares_uses_squares"] == [0.0, None, False]
    assert scores["sum_of_squares_equation"] == [None, 0.5, False]
    assert scores["sum_of_squares_application"] == [None, None, True]
    assert comments["sum_of_squares_equation"] == "Nearly"
