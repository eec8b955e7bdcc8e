"""200 submissions graded here and on a local Dask cluster, 40 of them hostile: what they cost the other 160.

The suite ends with an error if a verdict is wrong, a line is missing, a file is left behind, or more memory or time is used than
promised. It also compares the two forms in which a rubric runs, and lets otter-grader's mode without containers grade the harmless
submissions.

usage: python -m bench.suites.grading [--count N] [--hostile N] [--rounds N] [--no-otter]

This command runs the suite alone, without a browser, and writes no results.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from jupyterlite_browsergrad.grading import scratch
from jupyterlite_browsergrad.grading.apart.pool import close_all
from jupyterlite_browsergrad.grading.bundle import load_lab
from jupyterlite_browsergrad.grading.run import Job, JobLimits, run_job
from tests.grading.labs import GRADE

from .. import handed_in
from ..handed_in import Submission, lines_of, verify
from ..otter import NAME as OTTER
from ..otter import Otter
from ..runner import Bench
from ..sites import OUT
from ..table import Row

JOBS = 2
MEMORY_MB, OUTPUT_MB = 512, 1
#: Most memory of one of the grader's Python processes, however many submissions there are, and whatever they do.
PARENT_MB = 500
#: Greatest ratio of the time for all submissions to that for the harmless ones, without the time of those that reach a time limit.
MAX_TIMES = 1.5
#: Greatest ratio of a submission's time with the rubric in an interpreter of its own to that with the rubric in the same interpreter.
MAX_APART = 1.3
#: Most memory of a sandbox's process: the limit of Python's memory, and as much again as the rest of the process needs.
SANDBOX_MB = MEMORY_MB + 768
LIMITS = [
    "--cell-timeout",
    "20",
    "--timeout",
    "90",
    "--memory",
    str(MEMORY_MB),
    "--output",
    str(OUTPUT_MB),
    "--submission-size",
    "2",
]
#: Number of harmless submissions that are graded in both forms of rubric, one at a time and in turn.
IN_BOTH_FORMS = 8
#: Number of batches of harmless submissions that otter-grader and our grader take in turn.
OTTER_BATCHES = 4
#: Seconds until the files of a killed process must be gone. Only reached after a hang.
GONE_S = 120


@dataclass(frozen=True)
class Size:
    """How much is graded. Limits of time and of ratios are checked only at the full size."""

    count: int = 200
    hostile: int = 40
    #: How often each submission of `IN_BOTH_FORMS` is graded in each form of rubric.
    rounds: int = 7
    otter: bool = True

    @property
    def is_full(self) -> bool:
        return (self.count, self.hostile) == (Size.count, Size.hostile)


SMALL = Size(20, 8, 2)


class Memory:
    """The most memory that processes have had, in MB, from `VmHWM` in /proc: Python processes, and those that they have started."""

    def __init__(self) -> None:
        self.python = self.sandbox = 0.0

    def look(self, pids: Iterable[int]) -> None:
        """Note the most memory that these Python processes and their children have had up to now."""
        for pid in pids:
            self.python = max(self.python, _most_mb(pid))
            with suppress(psutil.NoSuchProcess):
                for child in psutil.Process(pid).children(recursive=True):
                    self.sandbox = max(self.sandbox, _most_mb(child.pid))


def _most_mb(pid: int) -> float:
    with suppress(OSError):  # the process has ended
        found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text("utf-8"))
        return (
            int(found[1]) / 1024 if found else 0.0
        )  # a process that has ended, but was not waited for, has no such line
    return 0.0


class Folder:
    """The folder with the lab and the submissions, and with the folder for the grader's temporary files."""

    def __init__(self, path: Path, size: Size) -> None:
        self.path = path
        self.submissions = handed_in.submissions(size.count, size.hostile)
        self.harmless = [each for each in self.submissions if not each.hostile]
        handed_in.write(path, self.submissions)
        self.tmp = path / "tmp"
        self.tmp.mkdir()
        self._before = self._state()

    def files(self, submissions: list[Submission]) -> list[str]:
        wanted = {each.stem for each in submissions}
        return sorted(str(each) for each in (self.path / "in").iterdir() if each.stem in wanted)

    def grade(
        self,
        submissions: list[Submission],
        out: str,
        *more: str,
        memory: Memory | None = None,
        watched: Iterable[int] = (),
        backwards: bool = False,
        kill_after: int | None = None,
    ) -> float:
        """Run the command and return its seconds.

        Parameters
        ----------
        out
            Name of the file for the results.
        more
            Further options.
        memory
            Notes the memory of the command's processes.
        watched
            Further Python processes whose memory counts as the command's own.
        kill_after
            Number of lines after which the command is killed.
        """
        files = self.files(submissions)[:: -1 if backwards else 1]
        results = self.path / out
        environment = {**os.environ, "TMPDIR": str(self.tmp)}
        command = [*GRADE, str(self.path / "lab"), *files, "--out", str(results)]
        begun = time.perf_counter()
        with (self.path / "log").open("w+", encoding="utf-8") as log:
            process = subprocess.Popen([*command, *LIMITS, *more], stdout=log, stderr=log, env=environment)
            while process.poll() is None:
                if memory is not None:
                    memory.look((process.pid, *watched))
                if kill_after is not None and results.is_file() and results.read_bytes().count(b"\n") >= kill_after:
                    process.kill()
                time.sleep(0.1)
            log.seek(0)
            if process.returncode and kill_after is None:
                raise SystemExit(f"jupyter browsergrad grade failed:\n{log.read()}")
        return time.perf_counter() - begun

    def _state(self) -> list[tuple[str, int, int, int]]:
        """Path, mode, size and time of each file in the folders of the lab and the submissions."""
        found = sorted(path for name in ("lab", "in") for path in (self.path / name).rglob("*"))
        return [(str(path), (status := path.lstat()).st_mode, status.st_size, status.st_mtime_ns) for path in found]

    def nothing_is_left(self) -> None:
        """End the suite if there is a file in the folder for temporary files, or if the lab or a submission has changed."""
        if self._state() != self._before:
            raise SystemExit("the folders of the lab and the submissions are not what they were")
        deadline = time.monotonic() + GONE_S
        while left := list(self.tmp.iterdir()):
            if time.monotonic() > deadline:
                raise SystemExit(f"files are left behind: {left}")
            time.sleep(0.1)  # a shell that is not our child removes the files of a killed process


def limits_s(out: Path) -> float:
    """Return the seconds in cells and rubrics of submissions that reached a time limit."""
    return sum(
        line["cells_s"] + line["rubric_s"] for line in lines_of(out) if (line["error"] or {}).get("kind") == "timeout"
    )


class Rows(list[Row]):
    """The rows of this suite. `add` prints each, and ends the suite if its value is greater than its bound."""

    def add(
        self, name: str, unit: str, value: float | list[float], bound: float | None = None, enforce: bool = True
    ) -> None:
        samples = value if isinstance(value, list) else [value]
        row = Row(f"grading: {name}", unit, statistics.median(samples), None, None, {"ours": samples}, bound=bound)
        self.append(row)
        print(row, flush=True)
        if enforce and bound is not None and row.ours > bound:
            raise SystemExit(f"{row.name}: {row.ours:.2f} {unit}, more than {bound} {unit}")


def run(bench: Bench | None, size: Size | None = None) -> list[Row]:
    size = size or (SMALL if bench is not None and bench.quick else Size())
    rows = Rows()
    with tempfile.TemporaryDirectory(prefix="browsergrad-bench-") as name:
        folder = Folder(Path(name), size)
        _beside_each_other(folder, size, rows)
        _on_dask(folder, rows)
        _killed_and_resumed(folder)
        folder.nothing_is_left()
        _forms(folder, size, rows)
        if size.otter:
            _otter(folder, rows)
        folder.nothing_is_left()
    return rows


def _beside_each_other(folder: Folder, size: Size, rows: Rows) -> None:
    """Grade the harmless submissions alone, then all submissions."""
    jobs = ["--jobs", str(JOBS)]
    memory = Memory()
    harmless, count = len(folder.harmless), len(folder.submissions)
    alone = folder.grade(folder.harmless, "alone.jsonl", *jobs)
    verify(folder.path / "alone.jsonl", folder.harmless)
    rows.add(f"{harmless} harmless submissions alone, {JOBS} at a time", "s", alone)
    rows.add("a harmless submission's share", "s", alone / harmless)
    everybody = folder.path / "here.jsonl"
    seconds = folder.grade(folder.submissions, everybody.name, *jobs, memory=memory)
    rows.add(f"{count} submissions, {count - harmless} of them hostile, {JOBS} at a time", "s", seconds)
    rows.add("lines with the right verdict", f"of {count}", verify(everybody, folder.submissions))
    rows.add("of that time, in submissions that reached a limit of time, over all jobs", "s", limits_s(everybody))
    times = (seconds - limits_s(everybody) / JOBS) / alone
    rows.add("all against the harmless ones alone, limits of time aside", "times", times, MAX_TIMES, size.is_full)
    rows.add("most memory of the command's process", "MB", memory.python, PARENT_MB)
    rows.add("most memory of a sandbox's process", "MB", memory.sandbox, SANDBOX_MB)
    folder.nothing_is_left()


def _on_dask(folder: Folder, rows: Rows) -> None:
    from distributed import LocalCluster

    memory, out, count = Memory(), folder.path / "dask.jsonl", len(folder.submissions)
    with LocalCluster(  # type: ignore[no-untyped-call]
        n_workers=JOBS,
        threads_per_worker=1,
        dashboard_address=":0",
        local_directory=str(folder.path / "dask"),
        env={"TMPDIR": str(folder.tmp)},
    ) as cluster:
        address, workers = cluster.scheduler_address, [worker.pid for worker in cluster.workers.values()]
        seconds = folder.grade(
            folder.submissions, out.name, "--dask", address, memory=memory, watched=workers, backwards=True
        )
    rows.add(f"the same on {JOBS} Dask workers, backwards", "s", seconds)
    rows.add("lines with the right verdict, on Dask", f"of {count}", verify(out, folder.submissions))
    rows.add("most memory of the command's process and of a worker's, on Dask", "MB", memory.python, PARENT_MB)


def _killed_and_resumed(folder: Folder) -> None:
    """Check that a run which was killed continues where it was, and keeps its results."""
    some, out = folder.harmless[: 3 * len(handed_in.HARMLESS)], folder.path / "resumed.jsonl"
    folder.grade(some, out.name, "--jobs", str(JOBS), kill_after=len(some) // 3)
    before = out.read_bytes()
    folder.grade(some, out.name, "--jobs", str(JOBS))
    if not out.read_bytes().startswith(before[: before.rfind(b"\n") + 1]):
        raise SystemExit("the second run did not keep the first one's results")
    verify(out, some)


def _forms(folder: Folder, size: Size, rows: Rows) -> None:
    """Measure a submission with the rubric in the same interpreter and in one of its own. Start and end of the sandbox count."""
    lab, limits = load_lab(folder.path / "lab")[0], JobLimits(memory_bytes=MEMORY_MB << 20)
    files = {path.stem: path for path in (folder.path / "in").iterdir()}

    def seconds(each: Submission, form: str) -> float:
        path = files[each.stem]
        result = run_job(Job(lab, path.name, path.read_bytes(), limits, form=form))
        if problem := each.problem(result):
            raise SystemExit(f"{path.name}, rubric {form}: {problem}: {result['error']}")
        return float(result["duration_s"])

    samples: dict[str, list[float]] = {"shared": [], "apart": []}
    some = folder.harmless[:IN_BOTH_FORMS]
    with scratch.kept():
        for form in samples:  # a first submission, since the first of a run prepares files that the others find
            seconds(some[0], form)
        for turn in range(size.rounds):
            for each in some:
                for form in list(samples)[:: -1 if turn % 2 else 1]:
                    samples[form].append(seconds(each, form))
        close_all()
    for form, taken in samples.items():
        rows.add(f"a submission, one at a time, rubric {form}", "s", taken)
    ratios = [apart / shared for apart, shared in zip(samples["apart"], samples["shared"], strict=True)]
    rows.add("rubric apart against shared", "times", ratios, MAX_APART, size.is_full)


def _otter(folder: Folder, rows: Rows) -> None:
    """Let our grader and otter-grader grade the harmless submissions in turn, batch by batch, so that other work of the machine slows both."""
    try:
        otter = Otter(OUT / "otter", folder.path / "otter")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{OTTER} cannot be installed here, so it has no rows: {error}", flush=True)
        return
    ours: list[float] = []
    theirs: list[float] = []
    found: dict[str, tuple[float, float | None]] = {}
    for number in range(OTTER_BATCHES):
        batch = folder.harmless[number::OTTER_BATCHES]
        ours.append(folder.grade(batch, f"beside-otter-{number}.jsonl", "--jobs", str(JOBS)))
        seconds, graded = otter.grade_all(map(Path, folder.files(batch)), JOBS)
        theirs.append(seconds)
        found |= graded
    count = len(folder.harmless)
    right = sum(found[each.stem][1] == each.points for each in folder.harmless)
    rows.add(f"the harmless submissions in {OTTER_BATCHES} batches, {JOBS} at a time", "s", sum(ours))
    rows.add(f"{OTTER}, `otter run`, the same", "s", sum(theirs))
    rows.add(f"{OTTER}, a submission, one process", "s", [taken for taken, _ in found.values()])
    rows.add(f"{OTTER}, submissions with the right points", f"of {count}", right)
    rows.add(f"ours against {OTTER}, batch by batch", "times", [a / b for a, b in zip(ours, theirs, strict=True)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.suites.grading", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=SMALL.count, help="submissions (default: %(default)s)")
    parser.add_argument(
        "--hostile", type=int, default=SMALL.hostile, help="how many of them are hostile (default: %(default)s)"
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=SMALL.rounds,
        help="of eight submissions in both forms of rubric (default: %(default)s)",
    )
    parser.add_argument("--no-otter", action="store_true", help="leave otter-grader out")
    options = parser.parse_args()
    run(None, Size(options.count, options.hostile, options.rounds, not options.no_otter))


if __name__ == "__main__":  # Dask starts processes, which import this file again
    main()
