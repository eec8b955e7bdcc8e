"""What grading does without a sandbox: reading submissions, keeping results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyterlite_browsergrad.errors import GradingError
from jupyterlite_browsergrad.grading.bundle import load_lab
from jupyterlite_browsergrad.grading.results import KEY, ResultsFile
from jupyterlite_browsergrad.grading.submissions import Unreadable, cells_of, find_submissions

RESULT = {**dict.fromkeys(KEY, "x"), "error": None}


def test_cells_of_a_notebook_are_its_code_cells() -> None:
    cells = [
        {"cell_type": "code", "source": ["a = 1\n", "b = 2"]},
        {"cell_type": "markdown", "source": "no"},
        {"cell_type": "code", "source": "c = 3"},
    ]
    assert cells_of("x.ipynb", json.dumps({"cells": cells}).encode()) == ["a = 1\nb = 2", "c = 3"]


def test_a_python_file_is_one_cell_and_may_begin_with_a_byte_order_mark() -> None:
    assert cells_of("x.py", "\ufeffa = 1\n".encode()) == ["a = 1\n"]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"cells": 1}', b'{"cells": [1]}', b'{"cells": [{}]}', b"\xff", b"[" * 100_000]
    + [b'{"cells": [{"cell_type": "code", "source": 1}]}', b'{"cells": [{"cell_type": "code", "source": [1]}]}'],
)
def test_what_is_no_notebook_is_unreadable(content: bytes) -> None:
    with pytest.raises(Unreadable):
        cells_of("x.ipynb", content)


def test_folders_give_their_notebooks_and_python_files_but_no_checkpoints(tmp_path: Path) -> None:
    for name in ("b/two.ipynb", "a/one.py", "a/.ipynb_checkpoints/one.py", "a/notes.txt", ".hidden/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", "utf-8")
    found = find_submissions([tmp_path, tmp_path / "a/one.py"])
    assert [each.path.relative_to(tmp_path).as_posix() for each in found] == ["a/one.py", "b/two.ipynb"]
    with pytest.raises(GradingError, match="there is no file or folder"):
        find_submissions([tmp_path / "missing"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(GradingError, match="no submissions"):
        find_submissions([tmp_path / "empty"])


def test_results_are_found_again_and_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsFile(path) as results:
        results.add(RESULT)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"submission": "y')
    with ResultsFile(path) as results:
        assert results.finished(("x",) * len(KEY)) == RESULT
        assert results.finished(("y",) * len(KEY)) is None
        results.add(RESULT)
    assert path.read_bytes() == whole * 2


def test_a_submission_whose_sandbox_did_not_start_is_graded_again(tmp_path: Path) -> None:
    with ResultsFile(tmp_path / "results.jsonl") as results:
        results.add({**RESULT, "error": {"kind": "sandbox"}})
    with ResultsFile(tmp_path / "results.jsonl") as results:
        assert results.finished(("x",) * len(KEY)) is None


@pytest.mark.parametrize("content", [b"my notes\n", b"my notes", b"[1]\n", b'{"a": 1}\n', b"\xff\n"])
def test_a_file_that_holds_something_else_is_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(GradingError):
        ResultsFile(path)
    assert path.read_bytes() == content


def test_where_there_is_no_lab_it_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(GradingError, match="give the folder that holds"):
        load_lab(tmp_path)
