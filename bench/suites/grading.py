"""200 submissions graded here, interrupted once and resumed, and again on a local Dask cluster in another order.

40 of them are hostile, of every kind that the tests know. First the other 160 are graded alone. A wrong verdict, a missing line, more
memory or time than promised, or a file that is left behind ends the suite with an error.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.grading.hostile import KINDS, kind_of
from tests.grading.hostile import write as write_hostile

from ..runner import Bench
from ..table import Row

COUNT = 200
JOBS = 2
#: Of the first run, which is killed then.
KILLED_AFTER = 60
MEMORY_MB, OUTPUT_MB = 512, 1
#: Every fifth is hostile.
EVERY = 5
#: What the grader itself may hold, however many submissions there are, and whatever they do.
PARENT_MB = 500
#: What all may take of the time of the harmless ones, limits aside.
MOST_TIMES = 1.5
#: What a sandbox may hold: Python's memory, and what is not Python's.
SANDBOX_MB = MEMORY_MB + 768
CELL_S = 10
LIMITS = [
    "--cell-timeout",
    str(CELL_S),
    "--timeout",
    "60",
    "--memory",
    str(MEMORY_MB),
    "--output",
    str(OUTPUT_MB),
    "--submission-size",
    "2",
]
RUBRIC = """import browsergrad as bg

with bg.check("adds"):
    assert add(2, 3) == 5
with bg.check("adds nothing"):
    assert add(0, 0) == 0
"""
RIGHT = "def add(a, b):\n    return a + b\n"
MANIFEST = {
    "id": "add",
    "version": "1.0.0",
    "requires_browsergrad": "^0.8.0",
    "required_ops": [],
    "rubric_path": "rubric.py",
    "starter_path": "starter.py",
    "reference_path": "reference.py",
}
#: In turn: code, whether it passes, and the kind of its error.
USUAL = [
    (RIGHT, True, None),
    ("def add(a, b):\n    return a - b\n", False, None),
    (RIGHT + "1 / 0\n", True, "runtime"),
    ("def add(a, b)\n    return a + b\n", False, "syntax"),
]


def hostile(number: int) -> str | None:
    """The kind of a hostile submission; None for a harmless one."""
    turn, rest = divmod(number, EVERY)
    return list(KINDS)[turn % len(KINDS)] if rest == EVERY - 1 else None


def usual(number: int) -> tuple[str, bool, str | None]:
    """A harmless one's code, whether it passes, and the kind of its error."""
    code, passes, kind = USUAL[number % len(USUAL)]
    return f"{code}# {number}\n", passes, kind


def write(folder: Path) -> None:
    """Write the lab and the submissions: every other one is a notebook."""
    lab, handed_in = folder / "lab", folder / "in"
    for made in (lab, handed_in, folder / "tmp"):
        made.mkdir()
    (lab / "rubric.py").write_text(RUBRIC, "utf-8")
    (lab / "starter.py").write_text("def add(a, b):\n    pass\n", "utf-8")
    (lab / "reference.py").write_text(RIGHT, "utf-8")
    (lab / "manifest.json").write_text(json.dumps(MANIFEST), "utf-8")
    for number in range(COUNT):
        kind = hostile(number)
        code, *_ = usual(number)
        if kind:
            write_hostile(kind, handed_in / f"{number:03}", "add")
        elif number // 4 % 2:
            (handed_in / f"{number:03}.py").write_text(code, "utf-8")
        else:
            cell = {"cell_type": "code", "metadata": {}, "source": code, "outputs": [], "execution_count": None}
            notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
            (handed_in / f"{number:03}.ipynb").write_text(json.dumps(notebook), "utf-8")


def verdicts(out: Path) -> dict[str, tuple[bool, str | None]]:
    """By submission: whether it passed, and the kind of its error; each has one line."""
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    found = {Path(line["submission"]).stem: (line["passed"], line["error"] and line["error"]["kind"]) for line in lines}
    if len(found) != len(lines):
        raise SystemExit(f"{out}: {len(lines)} lines of {len(found)} submissions")
    return found


def verify(out: Path, numbers: list[int]) -> None:
    """One line for each submission, each with the right verdict."""
    found = verdicts(out)
    wrong = {}
    for number in numbers:
        passes, error = found.pop(f"{number:03}", (None, None))
        kind = hostile(number)
        wanted = (False, KINDS[kind].kinds) if kind else (usual(number)[1], {usual(number)[2]})
        if passes != wanted[0] or error not in wanted[1]:
            wrong[number, kind] = (passes, error), wanted
    if wrong or found:
        raise SystemExit(
            f"{out}: verdicts that are not as wanted (found, wanted): {wrong}; lines of nobody: {list(found)}"
        )


def limits_s(out: Path) -> float:
    """Seconds that submissions took which went on until a limit."""
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    return sum(line["duration_s"] for line in lines if kind_of(line) == "timeout")


class Memory:
    """The most that was held at one time, in MB: by the command's process, and by one process below it."""

    def __init__(self) -> None:
        self.parent = self.child = 0.0

    def look(self, pid: int) -> None:
        try:
            process = psutil.Process(pid)
            self.parent = max(self.parent, process.memory_info().rss / 2**20)
            for child in process.children(recursive=True):
                self.child = max(self.child, child.memory_info().rss / 2**20)
        except psutil.NoSuchProcess:
            return  # it ended while it was looked at


def grade(
    folder: Path,
    numbers: list[int],
    out: Path,
    memory: Memory,
    *more: str,
    lines: int | None = None,
    backwards: bool = False,
) -> float:
    """Run the command, for so many lines or to its end, and return its seconds."""
    files = sorted((str(each) for each in (folder / "in").iterdir() if int(each.stem) in numbers), reverse=backwards)
    environment = {**os.environ, "TMPDIR": str(folder / "tmp")}
    command = [sys.executable, "-m", "jupyterlite_browsergrad", "grade", str(folder / "lab"), *files, "--out", str(out)]
    started = time.perf_counter()
    with (folder / "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen([*command, *LIMITS, *more], stdout=log, stderr=log, env=environment)
        while process.poll() is None:
            memory.look(process.pid)
            if lines is not None and out.is_file() and out.read_bytes().count(b"\n") >= lines:
                process.kill()
            time.sleep(0.2)
        log.seek(0)
        if process.returncode and lines is None:
            raise SystemExit(f"jupyter browsergrad grade failed:\n{log.read()}")
    return time.perf_counter() - started


def run(bench: Bench | None) -> list[Row]:
    rows: list[Row] = []

    def add(name: str, unit: str, value: float, bound: float | None = None) -> None:
        rows.append(Row(name, unit, value, None, None, {"ours": [value]}, bound=bound))
        print(rows[-1], flush=True)
        if bound is not None and value > bound:
            raise SystemExit(f"{name}: {value:.2f} {unit}, more than {bound} {unit}")

    with tempfile.TemporaryDirectory(prefix="browsergrad-bench-") as name:
        folder, memory = Path(name), Memory()
        write(folder)
        here, there = folder / "here.jsonl", folder / "dask.jsonl"
        jobs = ["--jobs", str(JOBS)]
        everybody = list(range(COUNT))
        harmless = [number for number in everybody if not hostile(number)]
        alone = grade(folder, harmless, folder / "alone.jsonl", Memory(), *jobs)
        verify(folder / "alone.jsonl", harmless)
        add(f"grading: {len(harmless)} harmless submissions alone, {JOBS} at a time", "s", alone)
        seconds = grade(folder, everybody, here, memory, *jobs, lines=KILLED_AFTER)
        before = here.read_bytes()
        seconds += grade(folder, everybody, here, memory, *jobs)
        if not here.read_bytes().startswith(before[: before.rfind(b"\n") + 1]):
            raise SystemExit("the second run did not keep the first one's results")
        verify(here, everybody)
        add(
            f"grading: {COUNT} submissions, {COUNT - len(harmless)} of them hostile, {JOBS} at a time, killed and resumed",
            "s",
            seconds,
        )
        add("grading: one submission's share", "s", seconds / COUNT)
        times = (seconds - limits_s(here) / JOBS) / alone
        add("grading: the same against the harmless ones alone, limits aside", "times", times, MOST_TIMES)
        add("grading: most memory of the grader", "MB", memory.parent, PARENT_MB)
        add("grading: most memory of a sandbox", "MB", memory.child, SANDBOX_MB)
        add(f"grading: the same on {JOBS} Dask workers, backwards", "s", _on_dask(folder, everybody, there))
        verify(there, everybody)
        if left := [path for path in (folder / "tmp").iterdir() if path.name.startswith("browsergrad")]:
            raise SystemExit(f"files are left behind: {left}")
    return rows


def _on_dask(folder: Path, numbers: list[int], out: Path) -> float:
    from distributed import LocalCluster

    with LocalCluster(n_workers=JOBS, threads_per_worker=1, dashboard_address=":0") as cluster:  # type: ignore[no-untyped-call]
        return grade(folder, numbers, out, Memory(), "--dask", cluster.scheduler_address, backwards=True)


if __name__ == "__main__":
    # Dask starts processes, which import this file again.
    run(None)
