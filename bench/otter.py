"""Runs otter-grader for comparison, in an environment of its own: `otter run`, which is its mode without containers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

#: otter-grader, and the kernel that `otter run` starts but does not require itself.
REQUIREMENTS = ("otter-grader==7.0.0", "ipykernel==7.4.0")
NAME = REQUIREMENTS[0].replace("==", " ")
#: The rubric of the lab: each check one point.
TESTS = """from statistics import mean

from otter.test_files import test_case

OK_FORMAT = False
name = "find"


@test_case(points=1)
def finds_the_first(env):
    assert env["find"](["ant", "bee"], "ant") == 0


@test_case(points=1)
def finds_the_last(env):
    assert env["find"](["ant", "bee"], "bee") == 1


@test_case(points=1)
def says_minus_one(env):
    assert env["find"](["ant", "bee"], "cat") == -1


@test_case(points=1)
def the_mean_place(env):
    assert mean([env["find"](["ant", "bee", "cat"], word) for word in ["bee", "cat"]]) == 1.5


@test_case(points=1)
def the_data(env):
    words = ["ant", "bee"]
    assert [env["find"](words, word) for word in words] == list(range(len(words)))
"""


class Otter:
    """An installed otter-grader and an autograder for the lab.

    Parameters
    ----------
    environment
        Folder of its virtual environment, which is made if it is missing.
    folder
        Folder for its files.
    """

    def __init__(self, environment: Path, folder: Path) -> None:
        self._bin = environment / "bin"
        self._folder = folder
        stamp = environment / "requirements.json"
        if not stamp.is_file() or json.loads(stamp.read_text("utf-8")) != list(REQUIREMENTS):
            shutil.rmtree(environment, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
            pip = [str(self._bin / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
            subprocess.run([*pip, *REQUIREMENTS], check=True)
            stamp.write_text(json.dumps(REQUIREMENTS), "utf-8")
        (folder / "tests").mkdir(parents=True)
        (folder / "tests" / "find.py").write_text(TESTS, "utf-8")
        self._autograder = folder / "autograder.zip"
        alone = ("--no-config", "--no-requirements", "--no-environment")
        done = self._run("generate", "-t", str(folder / "tests"), "-o", str(self._autograder), *alone)
        if not self._autograder.is_file():
            raise SystemExit(f"{NAME} made no autograder:\n{done.stderr}")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        # otter must find the kernel of its own environment.
        environment = {
            **os.environ,
            "PATH": f"{self._bin}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": str(self._bin.parent),
        }
        command = [str(self._bin / "otter"), *arguments]
        return subprocess.run(command, cwd=self._folder, env=environment, capture_output=True, text=True, check=False)

    def grade(self, submission: Path) -> tuple[float, float | None]:
        """Grade a submission. Return the seconds that this takes, and the points or None if there is no result."""
        out = self._folder / f"out-{submission.stem}"
        out.mkdir()
        begun = time.perf_counter()
        self._run("run", str(submission), "-a", str(self._autograder), "-o", str(out), "--no-logo")
        seconds = time.perf_counter() - begun
        results = out / "results.json"
        if not results.is_file():
            return seconds, None
        tests = json.loads(results.read_text("utf-8"))["tests"]
        return seconds, sum(each.get("score") or 0 for each in tests)

    def grade_all(self, submissions: Iterable[Path], jobs: int) -> tuple[float, dict[str, tuple[float, float | None]]]:
        """Grade submissions, `jobs` at a time. Return the seconds for all, and the results of `grade` by file name without suffix."""
        files = list(submissions)
        begun = time.perf_counter()
        with ThreadPoolExecutor(jobs) as executor:
            found = dict(zip((file.stem for file in files), executor.map(self.grade, files), strict=True))
        return time.perf_counter() - begun, found
