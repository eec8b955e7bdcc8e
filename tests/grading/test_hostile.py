"""A run with one submission of each hostile kind. Each has its line and its verdict, others go on, and no file is left and no disk filled."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.grading import scratch
from jupyterlite_browsergrad.grading.bundle import load_lab
from jupyterlite_browsergrad.grading.run import Job, JobLimits, run_job
from jupyterlite_browsergrad.server_kernel.folder import Folder
from tests.processes import children, wait_gone

from .hostile import KINDS, as_lines, kind_of, write
from .labs import APART, GOOD, GRADE, write_lab

# The first test waits for the run of all kinds. Some of them go on until a limit.
pytestmark = pytest.mark.timeout(900)

#: Most memory of the command's process, however much the students' code sends.
MAX_MB = 500
#: The limit of a cell ends those that never end. All others have as much time as a busy machine takes.
LIMITS = ["--cell-timeout", "30", "--timeout", "200", "--memory", "512", "--output", "1", "--submission-size", "2"]
#: Runs the command and prints the most memory that it had.
MEASURED = """
import re, sys
from jupyterlite_browsergrad.cli import main
status = main(sys.argv[1:])
print("peak", re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1])
sys.exit(status)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab, and submissions: one of each kind, between good ones."""
    folder = tmp_path_factory.mktemp("hostile")
    write_lab(folder / "lab")
    (folder / "in").mkdir()
    (folder / "tmp").mkdir()
    (folder / "in" / "good_first.py").write_text(GOOD, "utf-8")
    for name in KINDS:
        write(name, folder / "in" / f"kind_{name}", "find")
    (folder / "in" / "last_good.py").write_text(f"{GOOD}# last", "utf-8")
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> tuple[dict[str, dict[str, Any]], int]:
    """The results by the submission's name, and the most memory of the command's process in MB."""
    command = [
        sys.executable,
        "-c",
        MEASURED,
        "grade",
        folder / "lab",
        folder / "in",
        "--jobs",
        "2",
        "--out",
        folder / "out",
        *LIMITS,
    ]
    environment = {**os.environ, "TMPDIR": str(folder / "tmp")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    lines = as_lines(folder / "out")
    results = {Path(str(line["submission"])).stem: line for line in lines}
    assert len(results) == len(lines)
    return results, int(done.stdout.split()[-1]) // 1024


def test_every_submission_has_one_line(folder: Path, run: tuple[dict[str, Any], int]) -> None:
    assert set(run[0]) == {path.stem for path in (folder / "in").iterdir()}


@pytest.mark.parametrize("name", KINDS)
def test_a_hostile_submission_has_its_verdict(run: tuple[dict[str, Any], int], name: str) -> None:
    result = run[0][f"kind_{name}"]
    assert kind_of(result) in KINDS[name].kinds, result["error"]
    assert not result["passed"]


def test_the_hash_of_what_was_not_read_is_empty(folder: Path, run: tuple[dict[str, Any], int]) -> None:
    for name in ("pipe", "sparse", "link_to_good_work"):
        assert run[0][f"kind_{name}"]["sha256"] == ""
    for name in ("deep", "wedged"):
        (path,) = (folder / "in").glob(f"kind_{name}.*")
        assert run[0][f"kind_{name}"]["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_good_submissions_pass_beside_them(run: tuple[dict[str, Any], int]) -> None:
    for name in ("good_first", "last_good"):
        assert run[0][name]["passed"] and run[0][name]["error"] is None, run[0][name]


def test_fair_words_are_the_submissions_own_error(run: tuple[dict[str, Any], int]) -> None:
    words, interrupt = (run[0][f"kind_{name}"] for name in ("innocent_words", "interrupts_itself"))
    assert words["error"]["ename"] == "E" and sum(words["counts"].values()) == 3, "the rubric ran"
    assert interrupt["error"] is None and interrupt["counts"]["error"] >= 1
    assert "KeyboardInterrupt" in interrupt["assertions"][0]["message"]


def test_the_process_outside_stays_small(run: tuple[dict[str, Any], int]) -> None:
    assert run[1] < MAX_MB


def test_no_file_is_left_behind(folder: Path, run: tuple[dict[str, Any], int]) -> None:
    assert list((folder / "tmp").iterdir()) == []


@pytest.mark.release
def test_results_on_a_dask_cluster_are_the_same(folder: Path, run: tuple[dict[str, Any], int]) -> None:
    from distributed import LocalCluster

    names = [
        "mode_that_is_none",
        "reply_without_end",
        "event_without_name",
        "pipe",
        "link_to_good_work",
        "innocent_words",
    ]
    files = [next((folder / "in").glob(f"kind_{name}.*")) for name in names]
    out = folder / "dask"
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        address = cluster.scheduler_address
        assert (
            main(
                ["grade", str(folder / "lab"), *map(str, files), "--dask", address, "--out", str(out), *APART, *LIMITS]
            )
            == 0
        )
    lines = {Path(str(line["submission"])).stem: line for line in as_lines(out)}
    assert {name: kind_of(line) for name, line in lines.items()} == {
        f"kind_{name}": kind_of(run[0][f"kind_{name}"]) for name in names
    }


@pytest.mark.thinned(3)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_ended_run_leaves_no_copy_of_the_lab(tmp_path: Path, how: signal.Signals) -> None:
    write_lab(tmp_path / "lab")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "wedged.py").write_text("while True:\n    pass\n", "utf-8")
    command = [*GRADE, tmp_path / "lab", tmp_path / "wedged.py", *APART]
    # If a shell runs the tests in the background, they ignore SIGINT, and so would this child.
    listen = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    environment = {**os.environ, "TMPDIR": str(tmp_path / "tmp")}
    limits = ["--out", tmp_path / "out", "--cell-timeout", "600", "--timeout", "600", "--jobs", "1"]
    with subprocess.Popen([*command, *limits], env=environment, preexec_fn=listen, stderr=subprocess.PIPE) as run:
        while not (sandboxes := children(run.pid, "deno")) or not list((tmp_path / "tmp").glob("*/*/manifest.json")):
            assert run.poll() is None, run.communicate()
            time.sleep(0.05)  # New folders send no event that could be awaited.
        run.send_signal(how)
        said = run.communicate()[1]
    wait_gone(sandboxes)
    assert b"Traceback" not in said
    assert run.returncode in (-how, 128 + how)
    deadline = time.monotonic() + 60
    while list((tmp_path / "tmp").iterdir()):
        assert time.monotonic() < deadline, list((tmp_path / "tmp").rglob("*"))
        time.sleep(0.05)  # The shell that removes it is not our child.


def test_what_is_left_all_the_same_is_removed_by_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch, "STALE_S", 0)
    left = tmp_path / f"{scratch.PREFIX}left"
    (left / "copy").mkdir(parents=True)
    with scratch.folder() as one, scratch.folder() as other:
        assert one != other and one.parent == other.parent and not left.exists()
        (one / "file").write_text("x", "utf-8")
    assert list(tmp_path.iterdir()) == []


def job(folder: Path, code: str, **limits: Any) -> Job:
    return Job(load_lab(folder / "lab")[0], "one.py", code.encode(), JobLimits(**limits))


def test_what_the_grader_prepares_is_not_under_the_limit_of_cells(folder: Path) -> None:
    result = run_job(job(folder, "while True:\n    pass\n", cell_s=0.001))
    assert result["python_version"] is not None, result
    assert kind_of(result) == "timeout"


def test_no_failure_of_this_machine_ends_the_batch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: Any, **more: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        result = run_job(job(folder, GOOD))
        assert kind_of(result) == "sandbox" and "No space left" in result["error"]["evalue"]
        lines = [folder / "in" / "good_first.py", "--out", folder / "full", "--rubric", "shared"]
        monkeypatch.setattr("jupyterlite_browsergrad.commands.grade._expected", lambda *arguments: None)
        assert main(["grade", str(folder / "lab"), *map(str, lines)]) == 1, "not every submission was graded"
        assert kind_of(as_lines(folder / "full")[0]) == "sandbox"
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "answer", full)
        result = run_job(job(folder, "open('data/words.txt')\n"))
        assert kind_of(result) == "crash" and "No space left" in result["error"]["evalue"], result


def test_a_second_run_into_one_file_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    shutil.copy(folder / "in" / "good_first.py", tmp_path / "one.py")
    from jupyterlite_browsergrad.grading.results_file import ResultsFile

    with ResultsFile(out):
        assert main(["grade", str(folder / "lab"), str(tmp_path / "one.py"), "--out", str(out)]) == 2
    assert "another run is writing to" in capsys.readouterr().err
    assert out.read_bytes() == b""


def test_texts_of_a_submission_move_no_cursor(folder: Path, tmp_path: Path) -> None:
    """Names of files and of errors may contain escape sequences."""
    name = "a\x1b]0;mine\x07\x1b[2J.py"
    (tmp_path / name).write_text("raise type('\\x1b[31mE', (Exception,), {})('\\x9b2J')\n", "utf-8")
    command = [*GRADE, folder / "lab", tmp_path, "--out", tmp_path / "\x1b[1mout", *APART]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    (line,) = as_lines(tmp_path / "\x1b[1mout")
    assert json.loads(json.dumps(line))["submission"].endswith(name)
    assert b"\x1b" not in (tmp_path / "\x1b[1mout").read_bytes()
