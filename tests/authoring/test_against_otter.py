"""Assignments of otter's, its own demos among them: `otter run` and `grade` give the same points, for the master and for otter's output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad.cli import main

from .test_assign import cell

pytestmark = [
    pytest.mark.skipif(not os.environ.get("ALL_STARTS"), reason="runs with ALL_STARTS=1: make test-release"),
    pytest.mark.timeout(3600),  # otter and its dependencies are installed first
]


def shown(text: str) -> list[dict[str, Any]]:
    return [{"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": [text]}}]


PRINTED = [{"output_type": "stream", "name": "stdout", "text": ["5\n"]}]
MASTER = [
    cell("raw", "# ASSIGNMENT CONFIG\nexport_cell: false"), cell("markdown", "# Homework"),
    cell("raw", "# BEGIN QUESTION\nname: q1\npoints: 3"), cell("markdown", "Write `thrice`."),
    cell("raw", "# BEGIN SOLUTION"), cell("code", "def thrice(n):\n    return 3 * n # SOLUTION"), cell("raw", "# END SOLUTION"),
    cell("raw", "# BEGIN TESTS"), cell("code", "thrice(2)", outputs=shown("6")),
    cell("code", "# HIDDEN\nthrice('a') == 'aaa'", outputs=shown("True")), cell("code", "thrice(0)", outputs=shown("0")),
    cell("raw", "# END TESTS"), cell("raw", "# END QUESTION"),
    cell("raw", "# BEGIN QUESTION\nname: q2"), cell("raw", "# BEGIN SOLUTION"), cell("code", "x = 5 # SOLUTION"),
    cell("raw", "# END SOLUTION"), cell("raw", "# BEGIN TESTS"),
    cell("code", '""" # BEGIN TEST CONFIG\npoints: 2\nsuccess_message: Five it is.\n""" # END TEST CONFIG\nx == 5', outputs=shown("True")),
    cell("code", "# HIDDEN\nprint(x)", outputs=PRINTED), cell("raw", "# END TESTS"), cell("raw", "# END QUESTION"),
]  # fmt: skip
#: Submissions of students, beside the reference and the starter.
WRITTEN = {
    "partly": "def thrice(n):\n    return 6 if n == 2 else None",
    "strings": "def thrice(n):\n    return n * 3\nx = 4",
}


FIXTURES = Path(__file__).parents[1] / "fixtures" / "otter"
#: Otter's demos: the master, and the questions that need NumPy, pandas or Matplotlib, which are left out.
DEMOS: dict[str, tuple[str, tuple[str, ...]]] = {
    "tutorial": ("demo.ipynb", ("q3", "q4")),
    "example": ("example.ipynb", ("q2", "q8")),
    "full": ("assign-full-example.ipynb", ("q3", "q6")),
}


def notebook(cells: list[dict[str, Any]]) -> str:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    numbered = [each | ({"execution_count": None} if each["cell_type"] == "code" else {}) for each in cells]
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": numbered, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4})


def text_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def cells_in(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
    return cells


def demo(name: str) -> list[dict[str, Any]]:
    """A demo's master without the questions that need packages, and without the imports of these."""
    file, needing = DEMOS[name]
    kept = []
    question = None
    for each in cells_in(FIXTURES / name / file):
        text = text_of(each)
        if each["cell_type"] == "raw" and text.startswith("# BEGIN QUESTION"):
            question = text.partition("name:")[2].split()[0]
        if question not in needing and not text.startswith("import "):
            kept.append(each)
        if each["cell_type"] == "raw" and text.startswith("# END QUESTION"):
            question = None
    return kept


@pytest.fixture(scope="module")
def otter(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., None]:
    """Runs otter, which is installed in an environment of its own."""
    venv = tmp_path_factory.mktemp("otter") / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    python = venv / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "otter-grader==7.0.0", "ipykernel"], check=True)
    environment = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONWARNINGS": "ignore"}

    def run(folder: Path, *words: object) -> None:
        subprocess.run([python, "-m", "otter", *map(str, words)], check=True, env=environment, cwd=folder)

    return run


def half(student: Path, solved: Path) -> str:
    """A student's notebook with the reference's solution in every second place."""
    given = cells_in(student)
    code, reference = ([each for each in cells if each["cell_type"] == "code"] for cells in (given, cells_in(solved)))
    assert len(code) == len(reference)
    answers = [pair for pair in zip(code, reference, strict=True) if text_of(pair[0]) != text_of(pair[1])]
    for mine, theirs in answers[::2]:
        mine["source"] = theirs["source"]
    return json.dumps(json.loads(student.read_text("utf-8")) | {"cells": given})


def with_code(student: Path, code: str) -> str:
    content = json.loads(student.read_text("utf-8"))
    (task,) = [each for each in content["cells"] if "def thrice" in text_of(each)]
    task["source"] = code
    return json.dumps(content)


@pytest.mark.parametrize("name", ["own", *DEMOS])
def test_points_are_those_that_otter_gives_for_the_same_submissions(
    name: str, otter: Callable[..., None], tmp_path: Path
) -> None:
    course, handed = tmp_path / "course", tmp_path / "handed"
    if name == "own":
        course.mkdir()
    else:
        shutil.copytree(FIXTURES / name, course, ignore=shutil.ignore_patterns("*.ipynb", "handed"))
    (course / "hw.ipynb").write_text(notebook(MASTER if name == "own" else demo(name)), "utf-8")
    otter(tmp_path, "assign", "course/hw.ipynb", "dist", "--no-pdfs", "--no-run-tests")
    student, solved = (tmp_path / "dist" / each / "hw.ipynb" for each in ("student", "autograder"))
    submissions = {"reference": solved.read_text("utf-8"), "starter": student.read_text("utf-8")}
    if name == "own":
        solution = json.loads(submissions["reference"])
        later = cell("code", "thrice = x = None", execution_count=None)
        # What a later cell changes does not count, since otter checks a question where its notebook does.
        submissions["again"] = json.dumps(solution | {"cells": [*solution["cells"], later]})
        submissions |= {each: with_code(student, code) for each, code in WRITTEN.items()}
    else:
        submissions["half"] = half(student, solved)
    submissions |= {path.stem: path.read_text("utf-8") for path in (FIXTURES / name).glob("handed/*.ipynb")}
    for who, text in submissions.items():
        # Otter's notebooks look for a file of their own name.
        (handed / who).mkdir(parents=True)
        (handed / who / "hw.ipynb").write_text(text, "utf-8")
    (archive,) = (tmp_path / "dist/autograder").glob("*.zip")
    theirs = {}
    for who in submissions:
        out = tmp_path / "out" / who
        out.mkdir(parents=True)
        otter(tmp_path, "run", "-a", archive, "-o", out, handed / who / "hw.ipynb")
        results = json.loads((out / "results.json").read_text("utf-8"))
        theirs[who] = {
            each["name"]: (each["score"], each["max_score"]) for each in results["tests"] if each.get("max_score")
        }
    for source in ("course", "dist"):
        labs = tmp_path / f"from-{source}"
        assert main(["import", str(tmp_path / source), "--out", str(labs)]) == 0
        out = tmp_path / f"{source}.jsonl"
        assert main(["grade", str(labs / "hw"), str(handed), "--out", str(out)]) == 0
        ours = {}
        for result in map(json.loads, out.read_text("utf-8").splitlines()):
            sums: dict[str, list[float]] = defaultdict(lambda: [0, 0])
            for each in result["assertions"]:
                sums[each["name"].partition(" - ")[0]][0] += each["earned"]
                sums[each["name"].partition(" - ")[0]][1] += each["points"]
            ours[Path(result["submission"]).parent.name] = {
                question: pytest.approx(tuple(both), abs=1e-5) for question, both in sums.items()
            }
        assert theirs == ours, source
    assert all(earned == most for earned, most in theirs["reference"].values())
    assert not any(earned for earned, _ in theirs["starter"].values())
    assert theirs.get("again", theirs["reference"]) == theirs["reference"]
    assert (
        0
        < sum(earned for earned, _ in theirs["half" if name != "own" else "partly"].values())
        < sum(most for _, most in theirs["reference"].values())
    )
