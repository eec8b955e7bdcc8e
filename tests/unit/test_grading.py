"""The parts of grading that need no sandbox: reading submissions, and keeping results."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import tracemalloc
from pathlib import Path

import pytest

from jupyterlite_browsergrad.errors import GradingError
from jupyterlite_browsergrad.grading.apart.rubric_side import _OURS
from jupyterlite_browsergrad.grading.bundle import load_lab
from jupyterlite_browsergrad.grading.prepared import RUBRIC
from jupyterlite_browsergrad.grading.results_file import KEY, ResultsFile
from jupyterlite_browsergrad.grading.submissions import Unreadable, cells_of, find_submissions
from tests.grading.labs import write_lab

RESULT = {**dict.fromkeys(KEY, "x"), "error": None, "rubric": "apart"}


def test_cells_of_a_notebook_are_its_code_cells() -> None:
    cells = [
        {"cell_type": "code", "source": ["a = 1\n", "b = 2"]},
        {"cell_type": "markdown", "source": "no"},
        {"cell_type": "code", "source": "c = 3"},
    ]
    assert cells_of("x.ipynb", json.dumps({"cells": cells}).encode()) == ["a = 1\nb = 2", "c = 3"]


def test_lines_that_call_otter_are_left_out() -> None:
    texts = [
        'import numpy\nimport otter\ngrader = otter.Notebook("hw.ipynb")',
        "x = 1",
        'grader.check("q1")',
        "grader.export(pdf=False)",
    ]
    cells = [{"cell_type": "code", "source": text} for text in texts]
    assert cells_of("x.ipynb", json.dumps({"cells": cells}).encode()) == ["import numpy\n\n", "x = 1", "", ""]
    assert cells_of("x.ipynb", json.dumps({"cells": cells[1:]}).encode()) == texts[1:]


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
    assert not any(each.problem for each in found)
    with pytest.raises(GradingError, match="there is no file or folder"):
        find_submissions([tmp_path / "missing"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(GradingError, match="no submissions"):
        find_submissions([tmp_path / "empty"])


LIMIT = 1000


def problems(*paths: Path) -> dict[str, str | None]:
    """The reason why each submission is not read, by its name."""
    return {each.path.name: each.read(LIMIT).problem for each in find_submissions(list(paths))}


def test_what_is_not_an_ordinary_file_is_found_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "solution.py").write_text("good = 1", "utf-8")
    (tmp_path / "b" / "link.py").symlink_to("../a/solution.py")
    (tmp_path / "b" / "nowhere.py").symlink_to("missing")
    (tmp_path / "b" / "loop.py").symlink_to("loop.py")
    (tmp_path / "b" / "zero.py").symlink_to("/dev/zero")
    (tmp_path / "b" / "own").symlink_to("../a")
    (tmp_path / "b" / "notes").symlink_to("../a/solution.py")
    os.mkfifo(tmp_path / "b" / "pipe.py")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "b" / "talk.py"))
    with open(tmp_path / "b" / "sparse.ipynb", "wb") as file:
        file.truncate(40 << 30)
    (tmp_path / "b" / "long.py").write_text("#" * (LIMIT + 1), "utf-8")
    (tmp_path / "b" / "just.py").write_text("#" * LIMIT, "utf-8")
    found = problems(tmp_path)
    assert found.pop("solution.py") is None and found.pop("just.py") is None
    assert {name: next(word for word in said.split() if word in WORDS) for name, said in found.items() if said} == {
        "link.py": "link,",
        "nowhere.py": "link,",
        "loop.py": "link,",
        "zero.py": "link,",
        "own": "link,",
        "pipe.py": "pipe,",
        "talk.py": "socket,",
        "sparse.ipynb": "sparse",
        "long.py": "limit",
    }
    assert "42,949,672,960 bytes" in str(found["sparse.ipynb"])


WORDS = {"link,", "pipe,", "socket,", "sparse", "limit"}


def test_links_are_not_followed_where_a_shell_has_put_in_the_names(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "solution.py").write_text("good = 1", "utf-8")
    (tmp_path / "b").symlink_to("a")
    one, other = (tmp_path / name / "solution.py" for name in "ab")
    assert [each.problem is None for each in find_submissions([one, other])] == [True, False]
    assert [each.problem is None for each in find_submissions([tmp_path / "a", tmp_path / "b"])] == [True, False]
    # A link in the path to the folder of all submissions is allowed, since the teacher has made it.
    (tmp_path / "term").symlink_to(tmp_path)
    assert [each.problem for each in find_submissions([tmp_path / "term" / "a" / "solution.py"])] == [None]


def test_a_submission_is_read_when_it_is_its_turn(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("early", "utf-8")
    (found,) = find_submissions([path])
    path.write_text("late", "utf-8")
    assert found.read(LIMIT).content == b"late"
    path.unlink()
    path.symlink_to("/etc/passwd")
    assert "symbolic link" in str(found.read(LIMIT).problem)
    path.unlink()
    assert "cannot be read" in str(found.read(LIMIT).problem)


def test_folders_may_be_deep(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(1500):  # deeper than Python can recurse, and than a path can be long
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    (tmp_path / "a.py").write_text("", "utf-8")
    assert "a.py" in problems(tmp_path)
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


def test_a_notebook_of_too_many_values_is_not_parsed() -> None:
    tracemalloc.start()
    with pytest.raises(Unreadable, match="too many"):
        cells_of("x.ipynb", b"[" + b"{}," * 1_000_000 + b"{}]")
    assert tracemalloc.get_traced_memory()[1] < 16 << 20
    tracemalloc.stop()


def test_two_runs_cannot_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsFile(path) as results:
        with pytest.raises(GradingError, match="another run is writing"):
            ResultsFile(path)
        results.add(RESULT)
    with ResultsFile(path) as results:
        assert results.finished(("x",) * len(KEY)) == RESULT


@pytest.mark.parametrize(
    "torn",
    [
        b'{"submission": "y',
        b'{"sub',
        b"{",
        b'{"submission": "y\n',
        b"\0" * 100,
        b'{"submission": "y\0\0\0',
        b"\xff\xfe",
    ],
)
def test_a_torn_last_line_is_mended(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsFile(path) as results:
        results.add(RESULT)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    with ResultsFile(path) as results:
        assert results.mended and len(results.done) == 1
        results.add(RESULT)
    assert path.read_bytes() == whole * 2


def test_a_last_line_that_lacks_its_end_alone_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsFile(path) as results:
        results.add(RESULT)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with ResultsFile(path) as results:
        assert not results.mended and results.finished(("x",) * len(KEY)) == RESULT
        results.add(RESULT)
    assert path.read_bytes() == whole * 2


def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsFile(path) as results:
        results.add(RESULT)
        whole = path.read_bytes()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        # Only half of the next line fits.
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) * 3 // 2, limits[1]))
        try:
            with pytest.raises(GradingError, match=r"cannot be written.*run the command again"):
                results.add(RESULT)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert path.read_bytes() == whole
        results.add(RESULT)
    assert path.read_bytes() == whole * 2


def test_results_go_to_ordinary_files_only(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null"), tmp_path, tmp_path / "missing" / "results"):
        with pytest.raises(GradingError, match=r"ordinary file|cannot be written"):
            ResultsFile(path)


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


def test_a_result_counts_for_the_form_in_which_its_rubric_ran(tmp_path: Path) -> None:
    key, why = ("x",) * len(KEY), "the reference comes out differently"
    asked, forced = (
        {**RESULT, "rubric": "shared", "rubric_why": None},
        {**RESULT, "rubric": "shared", "rubric_why": why},
    )

    def counts(*lines: dict[str, object]) -> list[str | None]:
        path = tmp_path / "results.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        with ResultsFile(path) as results:
            return [form for form in ("apart", "shared", None) if results.finished(key, form)]

    assert counts(RESULT) == ["apart", None]
    assert counts(asked) == ["shared"]
    assert counts(forced) == ["shared", None]
    assert counts(RESULT, asked) == counts(asked, RESULT) == ["apart", "shared", None]


def test_another_reference_is_another_lab(tmp_path: Path) -> None:
    folder = write_lab(tmp_path / "lab")
    before = load_lab(folder)[0].sha256
    assert load_lab(folder)[0].sha256 == before
    (folder / "reference.py").write_text("find = None\n", "utf-8")
    assert load_lab(folder)[0].sha256 != before


@pytest.mark.parametrize("name", RUBRIC)
def test_a_rubrics_traceback_shows_no_frames_of_the_line_between_interpreters(name: str) -> None:
    ours = f'  File "<browsergrad {name}>", line 12, in ask\n    raise error\n'
    theirs = '  File "rubric.py", line 3, in <module>\n    f(0)\n    ~^^^\n'
    assert _OURS.sub("", f"{theirs}{ours}{ours}ValueError: 1\n") == f"{theirs}ValueError: 1\n"
