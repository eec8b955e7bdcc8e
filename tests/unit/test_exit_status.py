"""The same error gives the same exit status in all commands, and the documentation's table says which."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from jupyterlite_browsergrad.cli import COMMANDS, main
from jupyterlite_browsergrad.exit_status import DONE, FAULTS, UNUSABLE
from tests.lab_manifest import MANIFEST

REPO = Path(__file__).resolve().parents[2]
PAGE = (REPO / "docs/reference/cli.md").read_text("utf-8")
SOLUTION = "x = 1\n"


def notebook(*sources: str) -> str:
    cells = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": []} for text in sources]
    return json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one of everything that commands are given, good and bad."""
    monkeypatch.chdir(tmp_path)
    files = {
        "good/manifest.json": json.dumps(MANIFEST),
        "good/rubric.py": "assert True",
        "bad/manifest.json": json.dumps(MANIFEST | {"version": "one"}),
        "torn/manifest.json": "{",
        "torn.hidden/manual.json": '{"questions": []}',
        "without/manifest.json": json.dumps(MANIFEST),
        "empty/.keep": "",
        "one.py": SOLUTION,
        "passed.ipynb": notebook("x"),
        "torn.ipynb": "{",
        "no-tests.ipynb": notebook("x = 1"),
        "marks.ipynb": notebook("### BEGIN SOLUTION", "# TEST a\nassert 1"),
        "nbgrader/torn.ipynb": "{",
        "site/index.html": "",
        "site/jupyter-lite.json": "{}",
        "site/files/a&b.ipynb": "",
        "wrong.jsonl": "wrong\n",
        "results.csv": "a,b\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path


GRADE_OUT = "--out results.jsonl"
ERRORS: dict[str, tuple[int, list[str]]] = {
    "nothing is wrong": (DONE, ["validate good", "release good --to copy", "report passed.ipynb", "package site --scorm", "new fresh"]),
    "a path that does not exist": (
        UNUSABLE,
        [
            "validate none",
            "check none",
            f"grade none one.py {GRADE_OUT}",
            f"grade good none.py {GRADE_OUT}",
            "grade none one.py --manual hand",
            "check good --rubric-file none.py",
            f"grade good one.py --rubric-file none.py {GRADE_OUT}",
            "check good --site none",
            f"grade good one.py --site none {GRADE_OUT}",
            "gradebook none.jsonl",
            "gradebook wrong.jsonl --roster none.csv",
            "report none.ipynb",
            "report passed.ipynb none.ipynb",
            "assign none.ipynb",
            "import none",
            "package none --moodle",
            "release none --to copy",
            "serve none",
            "compress none",
        ],
    ),
    "a folder in which there is nothing for the command": (
        UNUSABLE,
        [
            "validate empty",
            "check empty",
            f"grade empty one.py {GRADE_OUT}",
            f"grade good empty {GRADE_OUT}",
            "report empty",
            "import empty",
            "package empty --scorm",
            "release empty --to copy",
        ],
    ),
    "a file that is not what the command reads": (
        UNUSABLE,
        [
            "report torn.ipynb",
            "report nbgrader",
            "assign torn.ipynb",
            "assign results.csv",
            "import nbgrader",
            "import torn.ipynb",
            "gradebook wrong.jsonl",
        ],
    ),
    "a place that cannot be written": (
        UNUSABLE,
        [
            "new one.py/lab",
            "assign marked.ipynb --out one.py/lab",
            "import marked.ipynb --out one.py/labs",
            f"grade good one.py --out one.py/{GRADE_OUT.split()[1]}",
            "package site --scorm --out one.py/a.zip",
            "release good --to one.py/copy",
            "sync one.py",
        ],
    ),
    "a manifest with errors": (
        FAULTS,
        [
            "validate bad",
            "release bad --to copy",
            "check bad",
            f"grade bad one.py {GRADE_OUT}",
            "validate torn",
            "check torn",
            f"grade torn one.py {GRADE_OUT}",
            "grade torn one.py --manual hand",
        ],
    ),
    "a file of the lab that is missing": (FAULTS, ["check without", f"grade without one.py {GRADE_OUT}"]),
    "faults in a source or a site": (
        FAULTS,
        ["assign no-tests.ipynb", "assign marks.ipynb", "package site --moodle"],
    ),
    "wrong options": (
        UNUSABLE,
        [
            "",
            "nonsense",
            *(f"{name} --nonsense" for name in COMMANDS),
            "validate",
            "report passed.ipynb --format table2",
            "check good --jobs 0",
            "serve site --port 99999",
            "gradebook wrong.jsonl --late-days 3",
            "demo --no-serve",
            "new lab --template none",
            "package site",
            "package site --scorm --notebook none.ipynb",
            "new good",
            "serve site --bind nowhere.invalid",
        ],
    ),
}  # fmt: skip
CASES = [(status, line) for status, lines in ERRORS.values() for line in lines]


def run(line: str) -> int:
    try:
        return main(line.split())
    except SystemExit as ended:
        assert isinstance(ended.code, int)
        return ended.code


@pytest.mark.parametrize(("status", "line"), CASES, ids=[line or "(nothing)" for _, line in CASES])
def test_an_error_has_one_status(status: int, line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "marked.ipynb").write_text(
        notebook("# BEGIN SOLUTION\nx = 1\n# END SOLUTION", "# TEST a (1 points)\nassert x == 1"), "utf-8"
    )
    assert run(line) == status, capsys.readouterr()
    said = capsys.readouterr()
    assert status == DONE or said.out + said.err
    assert "Traceback" not in said.err


def test_the_page_has_the_table() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+?) \|$", PAGE, re.MULTILINE)
    assert [int(status) for status, _ in rows] == [0, 1, 2, 130, 141, 143]
    said = " ".join(text for _, text in rows)
    assert [error for error in ERRORS if error not in said] == []


def test_a_reader_that_has_ended_is_not_an_error_of_ours(folder: Path) -> None:
    names = ["passed.ipynb"] * 3000
    command = [sys.executable, "-m", "jupyterlite_browsergrad", "report", *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=folder) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 128 + signal.SIGPIPE


def test_a_file_that_cannot_be_written_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "site" / "big.js").write_text("x = 1;\n" * 1000, "utf-8")
    (folder / "site" / "big.js.gz").mkdir()
    assert main(["compress", "site"]) == UNUSABLE
    assert "jupyter browsergrad compress: site/big.js.gz: Is a directory" in capsys.readouterr().err
