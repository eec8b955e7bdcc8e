"""``jupyter browsergrad import`` of what otter's ``assign`` has generated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browsergrad.hosting import run_rubric

from jupyterlite_browsergrad.authoring.markers import solved_code
from jupyterlite_browsergrad.authoring.otter_tests import tests_of_file as read_tests
from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.errors import AuthoringError

from .test_assign import cell, sources

OK = {
    "name": "q1",
    "points": 3,
    "suites": [
        {
            "cases": [
                {"code": ">>> thrice(2)\n6", "hidden": False, "locked": False, "points": 1, "success_message": "Well done."},
                {"code": ">>> y = thrice('a')\n>>> print(y)\naaa\n", "hidden": False, "locked": False},
                {"code": ">>> for i in range(2):\n...     print(thrice(i))\n0\n3", "hidden": True, "locked": False},
                {"code": ">>> thrice(None)\nTraceback (most recent call last):\nTypeError: no", "hidden": True, "locked": False},
            ],
            "scored": True, "setup": "", "teardown": "", "type": "doctest",
        }
    ],
}  # fmt: skip
RAISING = """from otter.test_files import test_case

OK_FORMAT = False

name = "q2"
points = None


@test_case(points=2, hidden=False, failure_message="It is five.")
def test_five(env, x):
    assert x == 5 and env["x"] == x


@test_case(points=None, hidden=True)
def test_int(x):
    assert isinstance(x, int)
"""
TEXT, INIT = (
    cell("markdown", "# Homework"),
    cell("code", '# Initialize Otter\nimport otter\ngrader = otter.Notebook("hw.ipynb")'),
)
TAIL = [
    cell("markdown", "## Submission\n\nMake sure you have run all cells"),
    cell("code", "grader.export(force_save=True)"),
]
STUDENT = [
    INIT, TEXT, cell("markdown", "Write `thrice`."), cell("code", 'def thrice(n):\n    """Three times."""\n    ...'),
    cell("code", 'grader.check("q1")'), cell("code", "x = ..."), cell("code", 'grader.check("q2")'),
    cell("markdown", "<!-- BEGIN QUESTION -->\n\nSay why."), cell("markdown", "_Type your answer here, replacing this text._"),
    cell("markdown", "<!-- END QUESTION -->\n\n"), *TAIL,
]  # fmt: skip
SOLVED = [
    *STUDENT[:3], cell("code", 'def thrice(n):\n    """Three times."""\n    return 3 * n'), STUDENT[4], cell("code", "x = 5"),
    *STUDENT[6:8], cell("markdown", "Because."), *STUDENT[9:],
]  # fmt: skip


def otter_output(folder: Path, *, in_metadata: bool) -> Path:
    """The folder ``dist`` of an assignment, with its tests in files or in the notebooks' metadata."""
    public = json.loads(json.dumps(OK))
    public["suites"][0]["cases"] = [each for each in OK["suites"][0]["cases"] if not each["hidden"]]  # type: ignore[index]
    for name, cells, tests in (("student", STUDENT, public), ("autograder", SOLVED, OK)):
        inside = folder / "dist" / name
        (inside / "tests").mkdir(parents=True)
        metadata: dict[str, Any] = {}
        if in_metadata:
            metadata = {
                "otter": {
                    "OK_FORMAT": True,
                    "assignment_name": "hw",
                    "tests": {"q1": tests, "q2": RAISING.splitlines(True)},
                }
            }
        else:
            (inside / "tests" / "q1.py").write_text(f"OK_FORMAT = True\n\ntest = {tests!r}\n", "utf-8")
            (inside / "tests" / "q2.py").write_text(RAISING, "utf-8")
        content = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
        (inside / "hw.ipynb").write_text(json.dumps(content), "utf-8")
    (folder / "dist" / "student" / "data.csv").write_text("1\n", "utf-8")
    (folder / "dist" / "autograder" / "otter_config.json").write_text('{"seed": 1, "show_stdout": true}', "utf-8")
    return folder


@pytest.mark.parametrize("in_metadata", [False, True])
def test_generated_notebooks_and_tests_become_a_lab(
    in_metadata: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labs = tmp_path / "labs"
    course = otter_output(tmp_path / "hw", in_metadata=in_metadata)
    assert main(["import", str(course), "--out", str(labs)]) == 0
    said = capsys.readouterr().out
    assert "otter's output, now" in said and "hw: 6 tests, 3 of them hidden, 5 points" in said
    assert "the setting 'seed' is not followed" in said and "otter's output does not say its points" in said
    assert sources(labs / "hw" / "hw.ipynb") == [
        "# Homework", "Write `thrice`.", 'def thrice(n):\n    """Three times."""\n    ...',
        "# TEST q1 - 1\n# PASS: Well done.\nassert repr(thrice(2)) == '6'",
        "# TEST q1 - 2\ny = thrice('a')\nimport contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as printed:\n"
        "    print(y)\nassert printed.getvalue().strip() == 'aaa'",
        "x = ...",
        "# TEST q2 - 1\n# FAIL: It is five.\ndef test_five(env, x):\n    assert x == 5 and env['x'] == x\ntest_five(env=globals(), x=x)",
        "Say why.", "YOUR ANSWER HERE",
    ]  # fmt: skip
    assert (labs / "hw" / "data.csv").is_file()
    rubric = (labs / "hw.hidden" / "rubric.py").read_text("utf-8")
    good = run_rubric(rubric, {"thrice": lambda n: 3 * n, "x": 5})
    assert (good["counts"], good["points"]) == ({"pass": 6, "fail": 0, "error": 0}, {"earned": 5, "possible": 5})
    bad = run_rubric(rubric, {"thrice": lambda n: n, "x": 6})
    # A value that a doctest shows has to be asserted. That None has no triple is not an error of this test.
    assert [each["kind"] for each in bad["assertions"]] == ["fail", "fail", "fail", "fail", "fail", "pass"]
    assert bad["assertions"][4]["feedback"] == "It is five."
    assert (labs / "hw.hidden" / "hw.ipynb").is_file()
    assert main(["assign", str(labs / "hw.hidden" / "hw.ipynb")]) == 0


def test_a_master_counts_more_than_what_was_made_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from .test_assign import OTTER, write

    course = otter_output(tmp_path / "hw", in_metadata=False)
    write(course / "hw.ipynb", OTTER)
    assert main(["import", str(course), "--out", str(tmp_path / "labs")]) == 0
    assert "1 of 1 notebooks became labs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a test file of otter's: KeyError"),
        ("test = {'name': 'q', 'suites': []}", "is not a test file of otter's: ValueError"),
        ("test = {'name': 'q', 'suites': [{'type': 'scheme', 'cases': []}]}", "not a plain doctest"),
        ("test = {'name': 'q', 'suites': [{'cases': [{'code': '>>> ('}]}]}", "is not a test file of otter's: SyntaxError"),
        ("test = {'name': 'q', 'points': [1, 2], 'suites': [{'cases': [{'code': '>>> 1'}]}]}", "has 2 points for 1 tests"),
        ("test = open('x')", "is not a test file of otter's: ValueError"),
        ("(", "is not a test file of otter's: SyntaxError"),
        ("é", "cannot be read"),
    ],
)  # fmt: skip
def test_files_that_are_not_otters_are_told_and_not_run(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "q.py").write_text(text, "latin-1")
    with pytest.raises(AuthoringError, match=said):
        read_tests(tmp_path / "q.py")


def test_markers_that_otter_leaves_in_solutions_are_removed(tmp_path: Path) -> None:
    marked = """def thrice(n):
    # BEGIN SOLUTION
    if n:
        # BEGIN SOLUTION NO PROMPT
        n = n + 2 * n
        # END SOLUTION
    \'\'\' # BEGIN PROMPT
    # Next, add.
    \'\'\'; # END PROMPT
    return n # SOLUTION
    # END SOLUTION"""
    assert solved_code(marked) == "def thrice(n):\n    if n:\n        n = n + 2 * n\n    return n"
    course = otter_output(tmp_path / "hw", in_metadata=True)
    path = course / "dist" / "autograder" / "hw.ipynb"
    solved = json.loads(path.read_text("utf-8"))
    for each in solved["cells"]:
        if each["source"].startswith("def thrice"):
            each["source"] = marked
    path.write_text(json.dumps(solved), "utf-8")
    assert main(["import", str(course), "--out", str(tmp_path / "labs")]) == 0
    reference = "\n".join(sources(tmp_path / "labs" / "hw" / "reference.ipynb"))
    assert "        n = n + 2 * n\n    return n" in reference and "Next, add" not in reference
    assert "n + 2" not in (tmp_path / "labs" / "hw" / "hw.ipynb").read_text("utf-8")


def test_tests_that_give_all_points_or_none_stay_together(tmp_path: Path) -> None:
    spec = {**OK, "all_or_nothing": True}
    (tmp_path / "q1.py").write_text(f"test = {spec!r}\n", "utf-8")
    (test,) = read_tests(tmp_path / "q1.py")
    assert (test.name, test.points, test.hidden, test.feedback_pass) == ("q1 - all", 3, False, "Well done.")
    assert test.code.count("### BEGIN HIDDEN TESTS") == 2
    (test,) = read_tests(
        _written(tmp_path / "q2.py", RAISING.replace("points = None\n", "points = None\nall_or_nothing = True\n", 1))
    )
    assert (test.name, test.points, test.feedback_fail) == ("q2 - all", 2, "It is five.")


def _written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_solutions_in_texts_stay_with_the_reference(tmp_path: Path) -> None:
    from jupyterlite_browsergrad.authoring.assignment import assign

    from .test_assign import SCRIPT

    more = "\n# %% [markdown]\n# Why?\n#\n# ### BEGIN SOLUTION\n# Because.\n# ### END SOLUTION\n"
    (tmp_path / "circle.py").write_text(SCRIPT + more, "utf-8")
    made = assign(tmp_path / "circle.py")
    assert sources(made.folder / "circle.ipynb")[-1] == "Why?\n\nYOUR ANSWER HERE"
    assert "Because." in sources(made.folder / "reference.ipynb")[-1]
