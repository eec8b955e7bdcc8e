"""An assignment of otter's: `otter run` and `grade` give the same points, for the master and for otter's output."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
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


def notebook(cells: list[dict[str, Any]]) -> str:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    numbered = [each | ({"execution_count": None} if each["cell_type"] == "code" else {}) for each in cells]
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps({"cells": numbered, "metadata": metadata, "nbformat": 4, "nbformat_minor": 4})


def test_points_are_those_that_otter_gives_for_the_same_submissions(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    commands = tmp_path / "venv" / "bin"
    subprocess.run([commands / "python", "-m", "pip", "install", "-q", "otter-grader==7.0.0", "ipykernel"], check=True)
    environment = {**os.environ, "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}", "PYTHONWARNINGS": "ignore"}

    def otter(*words: object) -> None:
        subprocess.run([commands / "otter", *map(str, words)], check=True, env=environment, cwd=tmp_path)

    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "hw.ipynb").write_text(notebook(MASTER), "utf-8")
    otter("assign", "course/hw.ipynb", "dist", "--no-pdfs", "--no-run-tests")
    handed = tmp_path / "handed"
    handed.mkdir()
    shutil.copyfile(tmp_path / "dist/autograder/hw.ipynb", handed / "reference.ipynb")
    shutil.copyfile(tmp_path / "dist/student/hw.ipynb", handed / "starter.ipynb")
    for name, code in WRITTEN.items():
        student = json.loads((tmp_path / "dist/student/hw.ipynb").read_text("utf-8"))
        (task,) = [each for each in student["cells"] if "def thrice" in "".join(each["source"])]
        task["source"] = code
        (handed / f"{name}.ipynb").write_text(json.dumps(student), "utf-8")
    (archive,) = (tmp_path / "dist/autograder").glob("*.zip")
    theirs = {}
    for submission in handed.iterdir():
        (tmp_path / "out" / submission.stem).mkdir(parents=True)
        otter("run", "-a", archive, "-o", tmp_path / "out" / submission.stem, submission)
        results = json.loads((tmp_path / "out" / submission.stem / "results.json").read_text("utf-8"))
        theirs[submission.stem] = {
            each["name"]: (each["score"], each["max_score"]) for each in results["tests"] if each.get("max_score")
        }
    # Otter's own cells need otter, so only the students' code is compared.
    for path in handed.iterdir():
        content = json.loads(path.read_text("utf-8"))
        content["cells"] = [each for each in content["cells"] if "otter" not in str(each["source"]) and "grader." not in str(each["source"])]  # fmt: skip
        path.write_text(json.dumps(content), "utf-8")
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
            ours[Path(result["submission"]).stem] = {name: tuple(both) for name, both in sums.items()}
        assert ours == theirs, source
    assert theirs["reference"] == {"q1": (3, 3), "q2": (2, 2)}
    assert theirs["starter"] == {"q1": (0, 3), "q2": (0, 2)}
