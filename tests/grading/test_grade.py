"""Submissions of all kinds, graded by the command in real sandboxes. The verdicts are right, and no submission affects another."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import termios
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad import __version__
from jupyterlite_browsergrad.cli import main
from tests.processes import children, wait_gone

from .labs import APART, GOOD, GRADE, NAMES, write_lab

#: Tricks that students try, after a wrong solution.
CHEATS = {
    "patched_module": """
import browsergrad as bg
bg.assert_fail = bg.assert_error = lambda *args, **kwargs: None
class check:
    def __init__(self, name): self.name = name
    def __enter__(self): return self
    def __exit__(self, *error): bg.assert_pass(self.name); return True
bg.check = check
""",
    "patched_class": """
import browsergrad as bg, browsergrad._sink as sink
def leave(self, *error):
    sink.emit("assertion", {"kind": "pass", "name": self.name})
    return True
bg.check.__exit__ = leave
""",
    "patched_rubric_runner": f"""
import browsergrad._lab as lab
content = {{"assertions": [{{"kind": "pass", "name": name}} for name in {NAMES!r}], "counts": {{"pass": 3, "fail": 0, "error": 0}}}}
lab.run_rubric = lambda *args, **kwargs: content
lab.run_rubric.__code__ = (lambda *args, **kwargs: content).__code__
""",
    "replaced_builtins": """
import builtins
builtins.AssertionError = type("AssertionError", (BaseException,), {})
builtins.all = builtins.any = builtins.max = lambda *args, **kwargs: True
""",
    "spoilt_interpreter": """
import builtins
builtins.exec = builtins.compile = builtins.isinstance = lambda *args, **kwargs: True
""",
    "replaced_json": """
import json, json.encoder
text = '{"assertions": [], "counts": {"pass": 3, "fail": 0, "error": 0}}'
json.dumps = lambda *args, **kwargs: text
json.encoder.JSONEncoder.encode = json.JSONEncoder.iterencode = lambda *args, **kwargs: text
""",
    "own_grader": f"""
import json, sys, types
names = {NAMES!r}
fake = types.ModuleType("_browsergrad_grader")
content = {{"assertions": [{{"kind": "pass", "name": name}} for name in names], "counts": {{"pass": 3, "fail": 0, "error": 0}}}}
fake.grade = lambda *args: "0" * 64 + json.dumps(content)
sys.modules["_browsergrad_grader"] = fake
""",
    "own_rubric": f"""
import sys
grader = sys.modules["_browsergrad_grader"]
real = grader.grade
grader.grade = lambda rubric, name, challenge: real("import browsergrad as bg\\n" + "\\n".join(f"bg.assert_pass({{each!r}})" for each in {NAMES!r}), name, challenge)
""",
    "answered_for_the_shell": """
get_ipython().user_expressions = lambda wanted: {
    "result": {"status": "ok", "data": {"text/plain": repr("0" * 64 + '{"assertions": [], "counts": {"pass": 3, "fail": 0, "error": 0}}')}, "metadata": {}}
}
""",
    "printed": """
print('{"passed": true, "counts": {"pass": 3, "fail": 0, "error": 0}, "assertions": []}')
""",
    "left": """
import sys
sys.exit(0)
""",
    "left_during_the_rubric": f"""
import browsergrad as bg
def find(words, wanted):
    import browsergrad as now
    for name in {NAMES!r}:
        now.assert_pass(name)
    raise SystemExit
""",
    "shadowing_file": """
open("browsergrad.py", "w").write("def check(name): raise SystemExit")
import sys
for name in [name for name in sys.modules if name.startswith("browsergrad")]:
    del sys.modules[name]
""",
    "traced": """
import sys
sys.settrace(lambda frame, event, argument: frame.f_globals.clear() if frame.f_code.co_filename == "rubric.py" else None)
""",
}
#: Every third one, and before a release all: `test_cheats.py` has more of them.
TRIED = CHEATS if os.environ.get("ALL_CHEATS") else dict(list(CHEATS.items())[::3])
#: Submissions that spoil the kernel's own answers, or send answers without a signature.
TAMPERED = {"own_grader", "own_rubric", "answered_for_the_shell", "replaced_json"}

#: Code, kind of the error in its result, and whether its solution still counts.
ENDINGS = {
    "raises": (GOOD + "\n1 / 0\n", "runtime", True),
    "syntax": ("def find(:\n", "syntax", False),
    "wedged": ("while True:\n    pass\n", "timeout", False),
    "wedged_for_good": (
        "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass\n",
        "timeout",
        False,
    ),
    "wedged_in_the_rubric": ("def find(words, wanted):\n    while True:\n        pass\n", "timeout", False),
    "crashing": (GOOD + "\nimport os\nos.abort()\n", "crash", False),
    "flooding": ("while True:\n    print('x' * 10_000)\n", "output", False),
    "hungry": ("held = []\nwhile True:\n    held.append(bytearray(32 << 20))\n", "memory", False),
    "late_at_last": (GOOD + "\nwhile True:\n    pass\n", "timeout", True),
    "interrupts_itself": (GOOD + "\nraise KeyboardInterrupt\n", "interrupted", True),
    "recursive": ("def find(words, wanted):\n    return find(words, wanted)\n", None, False),
}


def notebook(*cells: str) -> str:
    content = {
        "cells": [
            {"cell_type": "markdown", "metadata": {}, "source": "# Mine"},
            *(
                {"cell_type": "code", "metadata": {}, "source": cell, "outputs": [], "execution_count": None}
                for cell in cells
            ),
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grading")
    write_lab(folder / "lab")
    handed_in = folder / "in"
    handed_in.mkdir()
    for name, code in TRIED.items():
        (handed_in / f"cheat_{name}.ipynb").write_text(
            notebook("def find(words, wanted):\n    return 0", code), "utf-8"
        )
    for name, (code, _, _) in ENDINGS.items():
        (handed_in / f"end_{name}.py").write_text(code, "utf-8")
    (handed_in / "broken.ipynb").write_text("{", "utf-8")
    for number in range(3):
        # A cell that fails early does not spoil the definitions of the other cells.
        (handed_in / f"good_{number}.ipynb").write_text(notebook("1 / 0", GOOD, f"# {number}"), "utf-8")
    data = (
        "import browsergrad as bg\n"
        + GOOD
        + "\nassert open('data/words.txt').read() == bg.dataset('words').read_text()\n"
    )
    (handed_in / "reads_data.py").write_text(data + "assert bg.lab.id == 'search'\n", "utf-8")
    (handed_in / "reads_rubric.py").write_text("open('rubric.py')\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def results(folder: Path) -> dict[str, dict[str, Any]]:
    """The results by the submission's file name."""
    out = folder / "results.jsonl"
    limits = ["--cell-timeout", "10", "--timeout", "90", "--memory", "512", "--output", "1"]
    status = main(["grade", str(folder / "lab"), str(folder / "in"), "--jobs", "2", "--out", str(out), *limits])
    assert status == 0
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    found = {Path(line["submission"]).stem: line for line in lines}
    assert len(found) == len(lines)
    return found


def kind(result: dict[str, Any]) -> str | None:
    return result["error"] and result["error"]["kind"]


def test_every_submission_has_one_line_with_versions(folder: Path, results: dict[str, dict[str, Any]]) -> None:
    assert set(results) == {path.stem for path in (folder / "in").iterdir()}
    for result in results.values():
        assert (result["lab"], result["lab_version"], result["package_version"]) == ("search", "1.2.3", __version__)
        assert result["duration_s"] >= result["cells_s"] + result["rubric_s"] >= 0
        if kind(result) != "unreadable":
            assert result["python_version"].startswith("3.")


def test_good_submissions_pass_whatever_others_do(results: dict[str, dict[str, Any]]) -> None:
    for name, result in results.items():
        if name.startswith("good_"):
            assert result["passed"], result
            assert result["counts"] == {"pass": 3, "fail": 0, "error": 0}
            assert [each["name"] for each in result["assertions"]] == NAMES
            assert kind(result) == "runtime"


@pytest.mark.parametrize("name", TRIED)
def test_cheating_does_not_pass(results: dict[str, dict[str, Any]], name: str) -> None:
    result = results[f"cheat_{name}"]
    assert not result["passed"], result
    if name in TAMPERED:
        assert kind(result) == "tampered"
    elif name not in ("left_during_the_rubric", "spoilt_interpreter"):
        # The real rubric graded the wrong solution.
        assert result["counts"] == {"pass": 1, "fail": 2, "error": 0}, result


@pytest.mark.parametrize("name", ENDINGS)
def test_endings_are_told_apart(results: dict[str, dict[str, Any]], name: str) -> None:
    _, expected, passes = ENDINGS[name]
    result = results[f"end_{name}"]
    assert (kind(result), result["passed"]) == (expected, passes), result


def test_what_the_reference_passes_and_a_submission_does_not_is_missing(results: dict[str, dict[str, Any]]) -> None:
    assert results["good_1"]["missing"] == []
    assert results["end_wedged"]["missing"] == sorted(NAMES)


def test_a_file_that_is_no_notebook_is_said_to_be_unreadable(results: dict[str, dict[str, Any]]) -> None:
    assert kind(results["broken"]) == "unreadable"


def test_the_labs_data_is_there_and_its_rubric_is_not(results: dict[str, dict[str, Any]]) -> None:
    assert results["reads_data"]["passed"], results["reads_data"]
    assert results["reads_data"]["error"] is None
    assert results["reads_rubric"]["error"]["ename"] == "FileNotFoundError"


def test_a_second_run_grades_what_is_new_and_keeps_the_rest(
    folder: Path, results: dict[str, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    out = folder / "results.jsonl"
    before = out.read_bytes()
    few = [str(path) for path in sorted((folder / "in").glob("good_*"))]
    changed = Path(few[0])
    changed.write_text(notebook("def find(words, wanted):\n    return 0"), "utf-8")
    out.write_bytes(before + b'{"submission": "half a li')
    assert main(["grade", str(folder / "lab"), *few, "--jobs", "2", "--out", str(out)]) == 0
    after = out.read_bytes()
    assert after.startswith(before)
    (line,) = after[len(before) :].splitlines()
    assert json.loads(line)["submission"] == changed.as_posix()
    said = capsys.readouterr()
    assert f"{len(few) - 1} were there already" in said.out
    assert "the last line was not finished and has been removed" in said.err


@pytest.mark.thinned(2)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_leaves_no_process_and_goes_on(folder: Path, tmp_path: Path, how: signal.Signals) -> None:
    files, out = [tmp_path / "first.py", tmp_path / "second.py"], tmp_path / "results.jsonl"
    for file, code in zip(files, [GOOD, "while True:\n    pass\n"], strict=True):
        file.write_text(code, "utf-8")
    arguments = [folder / "lab", *files, "--out", out, "--jobs", "1", *APART]
    # If a shell runs the tests in the background, they ignore SIGINT, and so would this child.
    listen = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*GRADE, *arguments, "--cell-timeout", "100"], preexec_fn=listen, **pipes) as run:
        sandboxes: list[int] = []
        while not out.is_file() or not out.read_bytes().endswith(b"\n") or not sandboxes:
            assert run.poll() is None
            time.sleep(0.05)  # A growing file sends no event that could be awaited.
            sandboxes = children(run.pid, "deno")
        before = out.read_bytes()
        run.send_signal(how)
        said = run.communicate()[1]
    if how == signal.SIGINT:
        assert run.returncode == 130 and said.splitlines()[-1] == "jupyter browsergrad grade: interrupted"
        assert "Traceback" not in said
    wait_gone(sandboxes)
    files[1].write_text(GOOD, "utf-8")
    assert main(["grade", *map(str, arguments)]) == 0
    after = out.read_bytes()
    assert after.startswith(before)
    assert [json.loads(line)["passed"] for line in after.splitlines()] == [True, True]


def test_a_terminal_sees_the_progress(folder: Path, results: dict[str, dict[str, Any]]) -> None:
    screen, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (24, 120))
    command = [*GRADE, folder / "lab", folder / "in" / "reads_data.py"]
    done = subprocess.run(
        [*command, "--out", folder / "shown.jsonl", *APART],
        stdout=subprocess.PIPE,
        stderr=terminal,
        text=True,
        check=True,
    )
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # The other end of the pipe is closed.
        while piece := os.read(screen, 4096):
            shown += piece
    os.close(screen)
    assert b"1/1" in shown and b"passed=1" in shown, shown
    assert "1 passed" in done.stdout


def test_a_dask_cluster_gives_the_same_verdicts(folder: Path, results: dict[str, dict[str, Any]]) -> None:
    from distributed import LocalCluster

    names = ["good_1", "end_wedged", "end_crashing", "broken"]
    files = [str(path) for path in sorted((folder / "in").iterdir()) if path.stem in names]
    out = folder / "dask.jsonl"
    limits = ["--cell-timeout", "10", "--timeout", "90", "--memory", "512", "--output", "1"]
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        address = cluster.scheduler_address
        assert main(["grade", str(folder / "lab"), *files, "--dask", address, "--out", str(out), *limits, *APART]) == 0
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert sorted(Path(line["submission"]).stem for line in lines) == sorted(names)
    for line in lines:
        here = results[Path(line["submission"]).stem]
        # The counts of the submission that hangs depend on whether it answered the interrupt in time.
        assert (line["passed"], kind(line)) == (here["passed"], kind(here))
