"""Tests whose result depends on when they run: cells below them change what they use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad.authoring.assignment import assign
from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.grading.moments import mark_of, moments_of

RUBRIC = 'with bg.check("q1 - 1", group="q1"):\n    assert total([1]) == 1\nwith bg.check("q2"):\n    assert words == ["ant"]\n'


def code(source: str, **metadata: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": metadata}


Q1 = code("# TEST", browsergrad={"test": "q1 - 1"})
TOTAL = "def total(numbers):\n    result = 0\n    for n in numbers: result += step(n)\n    return result"
#: Cells -> (number of cells, names) of each moment.
PLACES: dict[str, tuple[list[dict[str, Any]], list[tuple[int, set[str]]]]] = {
    "nothing changes": ([code(TOTAL), Q1, code("x = 1\nx = 2")], []),
    "a function is defined again": ([code(TOTAL), Q1, code("def total(n): ...")], [(1, {"q1 - 1"})]),
    "what a function uses changes": ([code("def step(n): return n"), code(TOTAL), Q1, code("step = None")], [(2, {"q1 - 1"})]),
    "a name is deleted": ([code(TOTAL), Q1, code("del total")], [(1, {"q1 - 1"})]),
    "an import takes a name": ([code(TOTAL), Q1, code("from m import total")], [(1, {"q1 - 1"})]),
    "a function declares a name as global": ([code(TOTAL), Q1, code("def f():\n    global total\n    total = 1\nf()")], [(1, {"q1 - 1"})]),
    "a name that no test uses": ([code("i = 1"), code(TOTAL), Q1, code("i = 2")], []),
    "a name in another function": ([code(TOTAL), Q1, code("def f():\n    total = 1")], []),
    "a name in a comprehension": ([code(TOTAL), Q1, code("[total for total in ()]")], []),
    "a first definition below": ([Q1, code(TOTAL)], []),
    "a list grows": ([code("words = ['ant']"), code("", browsergrad={"test": "q2"}), code("words.append('bee')")], [(1, {"q2"})]),
    "an item changes": ([code("words = ['ant']"), code("", browsergrad={"test": "q2"}), code("words[0] = 'bee'")], [(1, {"q2"})]),
    "below a magic": ([code(TOTAL), Q1, code("%time total = 1\ntotal = 2")], [(1, {"q1 - 1"})]),
    "a cell that is not Python": ([code(TOTAL), Q1, code("total = = 1")], []),
    "a hidden test": ([code(TOTAL, browsergrad={"tests_below": [mark_of("q1 - 1")]}), code("total = 1")], [(1, {"q1 - 1"})]),
    "nbgrader's test": ([code(TOTAL), code("", nbgrader={"grade": True, "grade_id": "q1 - 1"}), code("total = 1")], [(1, {"q1 - 1"})]),
    "otter's check": ([code(TOTAL), code('grader.check("q1")'), code("total = 1")], [(2, {"q1 - 1"})]),
    "the last of two places": ([code(TOTAL), Q1, code("total = 1"), Q1], []),
    "a test of another name": ([code(TOTAL), code("", browsergrad={"test": "q9"}), code("total = 1")], []),
    "marks of another form": ([code(TOTAL, browsergrad={"test": [1], "tests_below": [[1]]}), code("", nbgrader={"grade": True, "grade_id": 5}), code("total = 1")], []),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_tests_are_judged_at_their_place_where_later_cells_change_what_they_use(name: str) -> None:
    cells, expected = PLACES[name]
    assert [(each.cells, set(each.names)) for each in moments_of("a.ipynb", cells, RUBRIC)] == expected
    assert moments_of("a.py", cells, RUBRIC) == []


#: The lab itself gives a name another meaning below a test, one of which is hidden.
LAB = """# %%
def square(n):
    return n * n  # SOLUTION

# %%
# TEST squares (2 points)
assert square(3) == 9

# %%
size = 3  # SOLUTION

# %%
# HIDDEN TEST the first size (1 points)
assert size == 3

# %%
size = 4  # SOLUTION

# %%
# TEST the second size (4 points)
assert size == 4
"""


def test_a_lab_that_changes_names_is_graded_as_its_notebook_runs(tmp_path: Path) -> None:
    (tmp_path / "sizes.py").write_text(LAB, "utf-8")
    lab = assign(tmp_path / "sizes.py").folder
    notebook = json.loads((lab / "sizes.ipynb").read_text("utf-8"))
    starts = {
        "good": ("def square", "def square(n):\n    return n * n"),
        "worse": ("def square", "def square(n):\n    return 0"),
    }
    for name, (start, answer) in starts.items():
        cells = json.loads(json.dumps(notebook["cells"]))
        sizes = iter(("size = 3", "size = 4"))
        for each in cells:
            source = "".join(each["source"])
            if source.startswith(start):
                each["source"] = answer
            elif source.startswith("size ="):
                each["source"] = next(sizes)
        # The student tries something else below, with the name of the function that is tested.
        again = {"cell_type": "code", "metadata": {}, "source": "def square(n):\n    return 9 if n == 3 else 1 / 0"}
        (tmp_path / "handed").mkdir(exist_ok=True)
        handed = notebook | {"cells": [*cells, again]}
        (tmp_path / "handed" / f"{name}.ipynb").write_text(json.dumps(handed), "utf-8")
    for form in ("apart", "shared"):
        out = tmp_path / f"{form}.jsonl"
        assert main(["grade", str(lab), str(tmp_path / "handed"), "--out", str(out), "--rubric", form]) == 0
        results = {Path(each["submission"]).stem: each for each in map(json.loads, out.read_text("utf-8").splitlines())}
        assert results["good"]["passed"] and results["good"]["points"] == {"earned": 7, "possible": 7}
        # What is right only below the test does not count, as in the notebook itself.
        assert results["worse"]["points"] == {"earned": 5, "possible": 7}
        assert results["worse"]["counts"] == {"pass": 2, "fail": 1, "error": 0}
        assert [each["name"] for each in results["worse"]["assertions"]] == [
            "squares",
            "the first size",
            "the second size",
        ]
