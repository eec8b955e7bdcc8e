"""``jupyter browsergrad assign``: a lab from one source."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
from browsergrad.hosting import run_rubric

from jupyterlite_browsergrad.authoring.assignment import assign, lab_of
from jupyterlite_browsergrad.authoring.markers import student_code
from jupyterlite_browsergrad.authoring.source import Problems, SourceCell
from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.errors import AuthoringError

SCRIPT = '''# %% [markdown]
# # Two functions

# %%
import math

# %%
def area(radius):
    """The area of a circle."""
    ### BEGIN SOLUTION
    return math.pi * radius**2
    ### END SOLUTION


# %%
limit = 3  # SOLUTION

# %%
# TEST a circle of radius 1 (2 points)
assert math.isclose(area(1), math.pi)
### BEGIN HIDDEN TESTS
assert area(0) == 0
### END HIDDEN TESTS

# %%
# TEST the limit (0.5 points)
assert limit == 3

# %%
# HIDDEN TEST a text of two lines
assert """a
b""" == "a\\nb" and area(2) > 12
'''


def cell(kind: str, source: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": kind, "metadata": {}, "source": source} | ({"outputs": []} if kind == "code" else {}) | more


def graded(kind: str, source: str, **marks: Any) -> dict[str, Any]:
    whole = {"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False} | marks
    return cell(kind, source, metadata={"nbgrader": whole})


def write(path: Path, cells: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), "utf-8")
    return path


NBGRADER = [
    graded("markdown", "Write it.", locked=True, grade_id="text"),
    graded("code", "def twice(n):\n    ### BEGIN SOLUTION\n    return 2 * n\n    ### END SOLUTION", solution=True, grade_id="twice"),
    graded("code", "assert twice(2) == 4\n### BEGIN HIDDEN TESTS\nassert twice(-1) == -2\n### END HIDDEN TESTS", grade=True,
           points=3, grade_id="test twice"),
    graded("markdown", "Because.", grade=True, solution=True, points=2, grade_id="why"),
    graded("code", "secret = 1", solution=True, grade_id="all of it"),
]  # fmt: skip
OTTER = [
    cell("raw", "# ASSIGNMENT CONFIG\nrequirements: r.txt"),
    cell("raw", "# BEGIN QUESTION\nname: q1\npoints: 3"),
    cell("markdown", "Write `thrice`."),
    cell("raw", "# BEGIN SOLUTION"),
    cell("code", "def thrice(n):\n    return 3 * n # SOLUTION\n\nx = 5 # SOLUTION\nprint(x) # SOLUTION NO PROMPT"),
    cell("raw", "# END SOLUTION"),
    cell("raw", "# BEGIN TESTS"),
    cell("code", "thrice(2)", outputs=[{"output_type": "execute_result", "data": {"text/plain": ["6"]}}]),
    cell("code", "# HIDDEN\nprint(thrice('a'))", outputs=[{"output_type": "stream", "text": ["aaa\n"]}]),
    cell("code", '""" # BEGIN TEST CONFIG\npoints: 2\nhidden: false\n""" # END TEST CONFIG\nx == 5',
         outputs=[{"output_type": "execute_result", "data": {"text/plain": "True"}}]),
    cell("raw", "# END TESTS"),
    cell("raw", "# END QUESTION"),
]  # fmt: skip


def sources(path: Path) -> list[str]:
    return ["".join(each["source"]) for each in json.loads(path.read_text("utf-8"))["cells"]]


def test_a_script_becomes_a_lab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "circle.hidden").mkdir()
    source = tmp_path / "circle.hidden" / "source.py"
    source.write_text(SCRIPT, "utf-8")
    assert main(["assign", str(source)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"{tmp_path / 'circle'}: 3 tests, 1 of them hidden, 2.5 points"
    lab = tmp_path / "circle"
    text, _, task, limit, first, second = sources(lab / "circle.ipynb")
    assert text == "# Two functions"
    assert task.endswith("    # YOUR CODE HERE\n    raise NotImplementedError()")
    assert limit == "limit = ..."
    # Tests are in their places, without their hidden lines, and cannot be edited.
    assert first == "# TEST a circle of radius 1\nassert math.isclose(area(1), math.pi)"
    assert second == "# TEST the limit\nassert limit == 3"
    cells = json.loads((lab / "circle.ipynb").read_text("utf-8"))["cells"]
    assert [each["metadata"] for each in cells[3:5]] == [
        {},
        {"browsergrad": {"test": "a circle of radius 1"}, "editable": False, "deletable": False},
    ]
    assert "math.pi" in sources(lab / "reference.ipynb")[2]
    published, grading = ((tmp_path / name / "rubric.py").read_text("utf-8") for name in ("circle", "circle.hidden"))
    assert "import math\n" in published
    assert "with bg.check('a circle of radius 1', points=2):\n    assert math.isclose(area(1), math.pi)\n" in published
    assert "area(0)" not in published and "area(2)" not in published
    assert "    assert area(0) == 0\n" in grading and '    assert """a\nb""" == "a\\nb"' in grading
    nbformat.validate(nbformat.read(lab / "circle.ipynb", as_version=4))
    assert main(["validate", str(lab)]) == 0


def test_nbgraders_cells_become_a_lab(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = assign(write(tmp_path / "ps1.ipynb", NBGRADER))
    assert [(test.name, test.points) for test in made.plan.tests] == [("test twice", 3)]
    assert sources(made.folder / "ps1.ipynb")[1:] == [
        "def twice(n):\n    # YOUR CODE HERE\n    raise NotImplementedError()",
        "# TEST test twice\nassert twice(2) == 4",
        "YOUR ANSWER HERE",
        "# YOUR CODE HERE\nraise NotImplementedError()",
    ]
    assert "-1" not in (made.folder / "rubric.py").read_text("utf-8")
    assert "-1" in (tmp_path / "ps1.hidden" / "rubric.py").read_text("utf-8")
    assert made.plan.notes == []
    assert [(each.name, each.points) for each in made.plan.manual] == [("why", 2)]


def test_tests_that_nbgrader_computes_are_noted_line_by_line(tmp_path: Path) -> None:
    helper = "def throws(f):\n    try:\n        f()\n    except ValueError:\n        return True\n"
    made = assign(
        write(
            tmp_path / "ps1.ipynb",
            [
                *NBGRADER,
                graded(
                    "code",
                    "### AUTOTEST twice(3); twice(4)\n### HASHED AUTOTEST twice(5)",
                    grade=True,
                    points=1.5,
                    grade_id="auto",
                ),
                graded("code", f"{helper}### AUTOTEST throws(twice);", grade=True, points=1, grade_id="defines"),
                graded("code", "assert twice(0) == 0\n### AUTOTEST twice(7)", grade=True, points=2, grade_id="both"),
            ],
        )
    )
    # A cell that tests nothing else would give its points to everybody.
    assert [(test.name, test.points) for test in made.plan.tests] == [("test twice", 3), ("both", 2)]
    assert "AUTOTEST" not in (made.folder / "ps1.ipynb").read_text("utf-8").replace("### AUTOTEST twice(7)", "")
    source = tmp_path / "ps1.ipynb"
    computed = "an AUTOTEST line, whose test nbgrader computes from the solution"
    mend = "write what the solution gives, such as `assert {} == …`, in its place"
    assert made.plan.notes == [
        f"{source}: cell 6, line 1: 'auto' has {computed}; it is left out, with its 1.5 points: {mend.format('twice(3)')}",
        f"{source}: cell 6, line 2: 'auto' has {computed}; it is left out, with its 1.5 points: {mend.format('twice(5)')}",
        f"{source}: cell 7, line 6: 'defines' has {computed}; it is left out, with its 1 points: {mend.format('throws(twice)')}",
        f"{source}: cell 8, line 2: 'both' has {computed}; only the rest of the cell gives its 2 points: {mend.format('twice(7)')}",
    ]


def test_otters_blocks_become_a_lab(tmp_path: Path) -> None:
    made = assign(write(tmp_path / "hw.ipynb", OTTER))
    assert [(test.name, test.points, test.group) for test in made.plan.tests] == [
        ("q1 - 1", 0.5, "q1"),
        ("q1 - 2", 0.5, "q1"),
        ("q1 - 3", 2, "q1"),
    ]
    assert sources(made.folder / "hw.ipynb") == [
        "Write `thrice`.",
        "def thrice(n):\n    ...\n\nx = ...",
        "# TEST q1 - 1\nassert repr(thrice(2)) == '6'",
        "# TEST q1 - 3\nassert x == 5",
    ]
    assign(made.folder.with_suffix(".ipynb"), test_cells=False)
    assert len(sources(made.folder / "hw.ipynb")) == 2
    rubric = (tmp_path / "hw.hidden" / "rubric.py").read_text("utf-8")
    assert "assert repr(thrice(2)) == '6'" in rubric
    assert "assert printed.getvalue().strip() == 'aaa'" in rubric
    assert "    assert x == 5\n" in rubric
    assert any("'requirements' of the assignment is not followed" in note for note in made.plan.notes)


def test_a_question_that_gives_all_points_or_none_is_one_test(tmp_path: Path) -> None:
    cells = [
        {**each, "source": each["source"].replace("points: 3", "points: 3\nall_or_nothing: true")} for each in OTTER
    ]
    made = assign(write(tmp_path / "hw.ipynb", cells))
    assert [(test.name, test.points, test.group) for test in made.plan.tests] == [("q1 - all", 3, "q1")]
    notebook = sources(made.folder / "hw.ipynb")
    assert notebook[2:] == ["# TEST q1 - all\nassert repr(thrice(2)) == '6'\nassert x == 5"]
    rubric = (tmp_path / "hw.hidden" / "rubric.py").read_text("utf-8")
    for x, earned in ((5, 3), (6, 0)):
        points = run_rubric(rubric, {"thrice": lambda n: 3 * n, "x": x})["points"]
        assert points == {"earned": earned, "possible": 3}


def test_otters_fenced_blocks_and_ignored_lines_are_read(tmp_path: Path) -> None:
    cells = [
        cell("markdown", f"```otter\n{each['source']}\n```") if each["cell_type"] == "raw" else each for each in OTTER
    ]
    cells[4] = cell("code", "x = 5 # SOLUTION\n# BEGIN IGNORE\nsecret = 1\n# END IGNORE\nsecret = 2 # IGNORE\ny = 1")
    made = assign(write(tmp_path / "hw.ipynb", cells))
    assert sources(made.folder / "hw.ipynb")[1] == "x = ...\ny = 1"
    assert "secret" not in (made.folder / "reference.ipynb").read_text("utf-8")
    assert len(made.plan.tests) == 3


def test_a_test_that_prints_and_has_a_value_compares_both(tmp_path: Path) -> None:
    outputs = [
        {"output_type": "stream", "text": ["5\n"]},
        {"output_type": "execute_result", "data": {"text/plain": ["'None'"]}},
    ]
    made = assign(
        write(tmp_path / "hw.ipynb", [*OTTER[:-2], cell("code", "str(print(x))", outputs=outputs), *OTTER[-2:]])
    )
    rubric = (tmp_path / "hw.hidden" / "rubric.py").read_text("utf-8")
    kinds = [run_rubric(rubric, {"thrice": lambda n: 3 * n, "x": x})["assertions"][-1]["kind"] for x in (5, 6)]
    assert kinds == ["pass", "fail"] and made.plan.tests[-1].name == "q1 - 4"


DELETES = """# %%
def squares(n):
    ### BEGIN SOLUTION
    return [i * i for i in range(1, n + 1)]
    ### END SOLUTION

# %%
def total(n):
    ### BEGIN SOLUTION
    return sum(squares(n))
    ### END SOLUTION

# %%
# TEST total (1 points)
# PASS: Well done.
# FAIL: Look at \"n\".
result = total(2)
assert result == 5

# %%
# TEST total uses squares (2 points)
kept = squares
del squares
try:
    total(1)
except NameError:
    pass
else:
    raise AssertionError("total does not use squares")
finally:
    squares = kept
"""


def test_a_test_that_takes_a_name_away_does_so_for_the_students_functions(tmp_path: Path) -> None:
    (tmp_path / "sums.py").write_text(DELETES, "utf-8")
    made = assign(tmp_path / "sums.py")
    rubric = (made.folder / "rubric.py").read_text("utf-8")
    compile(rubric, "rubric.py", "exec")
    # Only the test that needs it works in place: no function of the reference uses the global name `result`.
    assert rubric.count("@bg.in_place\ndef _test():\n    global kept, squares\n") == 1
    reference = "\n".join(each for each in sources(made.folder / "reference.ipynb") if "# TEST" not in each)
    other = reference.replace("sum(squares(n))", "n * (n + 1) * (2 * n + 1) // 6")
    for code, kinds in ((reference, ["pass", "pass"]), (other, ["pass", "fail"])):
        names: dict[str, Any] = {}
        exec(code, names)
        content = run_rubric(rubric, names, own=names)
        assert [each["kind"] for each in content["assertions"]] == kinds
        assert content["assertions"][0]["feedback"] == "Well done."
        assert content["points"] == {"earned": 3 if kinds[1] == "pass" else 1, "possible": 3}


def test_what_a_function_cannot_hold_runs_in_a_block(tmp_path: Path) -> None:
    source = tmp_path / "sums.py"
    source.write_text(DELETES.replace("kept = squares\n", "from math import *\nkept = squares\n"), "utf-8")
    rubric = (assign(source).folder / "rubric.py").read_text("utf-8")
    compile(rubric, "rubric.py", "exec")
    assert "in_place" not in rubric


@pytest.mark.release
def test_labs_that_were_made_pass_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "circle.py").write_text(SCRIPT, "utf-8")
    sources = [tmp_path / "circle.py"]
    if os.environ.get("ALL_STARTS"):  # each takes a minute
        sources += [write(tmp_path / "ps1.ipynb", NBGRADER), write(tmp_path / "hw.ipynb", OTTER)]
    for source in sources:
        assign(source)
    assert main(["check", *(str(source.with_suffix("")) for source in sources), "--jobs", "2"]) == 0
    assert capsys.readouterr().out.count("manifest.json: ok") == len(sources)


def test_a_lab_is_made_again_after_an_edit_and_the_manifest_stays_the_teachers(tmp_path: Path) -> None:
    source = tmp_path / "circle.py"
    source.write_text(SCRIPT, "utf-8")
    made = assign(source)
    assert len(made.written) == 5
    assert assign(source).written == []
    manifest = made.folder / "manifest.json"
    fields = json.loads(manifest.read_text("utf-8")) | {"version": "2.1.0", "required_ops": ["area"]}
    manifest.write_text(json.dumps(fields), "utf-8")
    source.write_text(SCRIPT.replace("Two functions", "Circles").replace("### BEGIN HIDDEN TESTS", "").replace(
        "### END HIDDEN TESTS", "").replace("# HIDDEN TEST", "# TEST"), "utf-8")  # fmt: skip
    again = assign(source)
    assert sources(again.folder / "circle.ipynb")[0] == "# Circles"
    assert json.loads(manifest.read_text("utf-8")) == fields
    # No test is hidden any more, so the rubric for grading is removed.
    assert not (tmp_path / "circle.hidden" / "rubric.py").exists()


def test_a_watched_source_is_made_again_at_each_change_also_after_an_error(tmp_path: Path) -> None:
    source = tmp_path / "circle.py"
    source.write_text(SCRIPT, "utf-8")
    command = [sys.executable, "-u", "-m", "jupyterlite_browsergrad", "assign", "--watch", str(source)]
    # If a shell runs the tests in the background, they ignore SIGINT, and so would this child.
    listen = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, preexec_fn=listen, **pipes) as process:
        try:
            assert process.stdout is not None
            said = iter(process.stdout.readline, "")
            assert any("3 tests" in line for line in said)
            source.write_text("# %%\n### BEGIN SOLUTION\n", "utf-8")
            assert any("BEGIN SOLUTION without END SOLUTION" in line for line in said)
            source.write_text(SCRIPT.replace("Two functions", "Circles"), "utf-8")
            assert any("3 tests" in line for line in said)
            assert sources(tmp_path / "circle" / "circle.ipynb")[0] == "# Circles"
            process.send_signal(signal.SIGINT)
            assert process.wait() == 130
        finally:
            process.kill()


def test_what_was_edited_by_hand_is_kept(tmp_path: Path) -> None:
    source = tmp_path / "circle.py"
    source.write_text(SCRIPT, "utf-8")
    made = assign(source)
    rubric = made.folder / "rubric.py"
    rubric.write_text("# mine\n", "utf-8")
    source.write_text(SCRIPT.replace("Two functions", "Circles"), "utf-8")
    with pytest.raises(AuthoringError, match=r"rubric\.py was edited since it was made"):
        assign(source)
    assert rubric.read_text("utf-8") == "# mine\n"
    assert sources(made.folder / "circle.ipynb")[0] == "# Two functions"
    assign(source, force=True)
    assert "bg.check" in rubric.read_text("utf-8")


def test_a_file_in_the_way_is_kept(tmp_path: Path) -> None:
    source = tmp_path / "circle.py"
    source.write_text(SCRIPT, "utf-8")
    (tmp_path / "circle").mkdir()
    (tmp_path / "circle" / "rubric.py").write_text("# mine\n", "utf-8")
    with pytest.raises(AuthoringError, match="was not made by this command"):
        assign(source)
    assert [path.name for path in (tmp_path / "circle").iterdir()] == ["rubric.py"]


@pytest.mark.parametrize(
    ("source", "lab"),
    [("a/search.ipynb", "a/search"), ("a/search.hidden/x.py", "a/search"), ("search.py", "search")],
)
def test_the_place_of_a_lab_follows_from_the_source(source: str, lab: str) -> None:
    assert lab_of(Path(source)) == Path(lab)


@pytest.mark.parametrize(
    ("line", "student"),
    [
        ("x = 5 # SOLUTION", "x = ..."),
        ("a, b = 1, 2 # SOLUTION", "a, b = ..."),
        ("d['k'] = 5 # SOLUTION", "d['k'] = ..."),
        ("    return 5  # SOLUTION", "    return 5".replace("return 5", "...")),
        ("x == 5 # SOLUTION", "..."),
        ("x = 5 # SOLUTION NO PROMPT", ""),
        ("seed(1) # SEED", ""),
        ("# BEGIN SOLUTION\nx = 1\n# END SOLUTION", "..."),
        ("# BEGIN SOLUTION NO PROMPT\nx = 1\n# END SOLUTION", ""),
        ('""" # BEGIN PROMPT\nx = ...\n""" # END PROMPT', "x = ..."),
        ("### BEGIN MARK SCHEME\nfull marks\n### END MARK SCHEME\ny", "y"),
        ("print('the SOLUTION')", "print('the SOLUTION')"),
    ],
)
def test_markers_say_what_students_get(line: str, student: str) -> None:
    problems = Problems()
    assert student_code(SourceCell(Path("a.py"), "code", line, 1), problems) == student
    assert problems.found == []


TASK = "# %%\nx = 1  # SOLUTION\n"
TEST = "# %%\n# TEST a\nassert x == 1\n"
#: Source -> the place and the text of the error.
BROKEN: dict[str, tuple[str, str]] = {
    "no end": ("# %%\n### BEGIN SOLUTION\nx = 1\n" + TEST, r"cell 1, line 2: BEGIN SOLUTION without END SOLUTION"),
    "no begin": ("# %%\nx = 1\n### END SOLUTION\n" + TEST, r"cell 1, line 3: END SOLUTION without BEGIN"),
    "nested": (
        "# %%\n### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION\n" + TEST,
        r"line 3: BEGIN SOLUTION inside of SOLUTION",
    ),
    "crossed": (
        TASK + "# %%\n# TEST a\n### BEGIN HIDDEN TESTS\nassert x\n### END SOLUTION\n",
        r"line 7: END SOLUTION without",
    ),
    "small letters": ("# %%\n### begin solution\nx = 1\n### end solution\n" + TEST, r"line 2: .* is not a marker"),
    "not alone": ("# %%\nx = 1 ### BEGIN SOLUTION\n### END SOLUTION\n" + TEST, r"line 2: .* is not a marker"),
    "underscore": ("# %%\n# BEGIN_SOLUTION\nx = 1\n# END_SOLUTION\n" + TEST, r"line 2: .* is not a marker"),
    "hidden outside": (
        "# %%\n### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\n" + TASK + TEST,
        r"line 2: hidden tests outside of a test",
    ),
    "solution in a test": (
        TASK + "# %%\n# TEST a\n# BEGIN SOLUTION\n# END SOLUTION\nassert x\n",
        r"line 5: a solution in a test",
    ),
    "no name": (TASK + "# %%\n# TEST (2 points)\nassert x\n", r"line 4: a test needs a name"),
    "same name": (TASK + TEST + TEST, r"cell 3, line 7: another test is called 'a' already, in cell 2"),
    "empty test": (TASK + "# %%\n# TEST a\n# nothing\n", r"line 4: the test 'a' has no code"),
    "points": (TASK + "# %%\n# TEST a (1.2.3 points)\nassert x\n", r"'1\.2\.3' is not a number of points"),
    "magic": (TASK + "# %%\n# TEST a\n%time x\n", r"line 5: the test 'a' is not plain Python: .*magics"),
    "by hand without a name": (TASK + TEST + "# %%\n# MANUAL (2 points)\n", r"line 7: a question needs a name"),
    "syntax": (TASK + "# %%\n# TEST a\nassert x ==\n", r"line 5: the test 'a' is not plain Python"),
    "no tests": (TASK, "it has no tests"),
    "no solution": ("# %%\nx = 1\n" + TEST, "nothing is marked as a solution"),
    "all hidden": (TASK + "# %%\n# HIDDEN TEST a\nassert x\n", "every test is hidden"),
    "empty": ("", "it has no tests"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_markers_are_told_with_file_cell_and_line_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    text, said = BROKEN[name]
    source = tmp_path / "lab.py"
    source.write_text(text, "utf-8")
    with pytest.raises(AuthoringError, match=said) as caught:
        assign(source)
    assert str(source) in str(caught.value)
    assert list(tmp_path.iterdir()) == [source]


#: Cells -> the text of the error.
BROKEN_CELLS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "no grade_id": ([*NBGRADER, graded("code", "assert 1", grade=True, points=1, grade_id="")], r"cell 6, line 1: .* no grade_id"),
    "by hand without points": ([*NBGRADER, graded("markdown", "", grade=True, solution=True, grade_id="b")], r"its points are None"),
    "by hand of the same name": ([*NBGRADER, NBGRADER[3]], r"cell 6, line 1: another question is called 'why'"),
    "by hand without an answer": ([*OTTER, cell("raw", "# BEGIN QUESTION\nname: q2\nmanual: true"), cell("raw", "# END QUESTION")], r"has no solution or prompt"),
    "by hand with odd points": ([*OTTER, cell("raw", "# BEGIN QUESTION\nname: q2\nmanual: true\npoints: many"), *OTTER[3:6], OTTER[-1]], r"the points of 'q2' are 'many'"),
    "same grade_id": ([*NBGRADER, NBGRADER[2]], r"cell 6, line 1: another test is called 'test twice'"),
    "no points": ([*NBGRADER, graded("code", "assert 1", grade=True, grade_id="b")], r"its points are None"),
    "negative points": ([*NBGRADER, graded("code", "assert 1", grade=True, points=-1, grade_id="b")], r"its points are -1"),
    "newer": ([*NBGRADER, graded("code", "a", solution=True, schema_version=9, grade_id="b")], r"nbgrader's version 9"),
    "test of text": ([*NBGRADER, graded("markdown", "a b", grade=True, points=1, grade_id="b")], r"is a test of kind markdown"),
    "question left open": (OTTER[:-1], r"cell 2, line 1: BEGIN QUESTION without END QUESTION"),
    "tests left open": ([each for each in OTTER if each["source"] != "# END TESTS"], r"END QUESTION without BEGIN QUESTION: TESTS is open"),
    "tests outside": ([cell("raw", "# BEGIN TESTS"), *OTTER], r"cell 1, line 1: BEGIN TESTS outside of a question"),
    "question in question": ([OTTER[1], *OTTER], r"BEGIN QUESTION inside of QUESTION"),
    "question without a name": ([cell("raw", "# BEGIN QUESTION\npoints: 1"), *OTTER[2:]], r"a question needs a name"),
    "no YAML": ([cell("raw", "# BEGIN QUESTION\nname: [q"), *OTTER[2:]], r"its settings are not YAML"),
    "list of points": ([cell("raw", "# BEGIN QUESTION\nname: q1\npoints: [1]"), *OTTER[2:]], r"has 1 points for 3 tests"),
    "too few points": ([cell("raw", "# BEGIN QUESTION\nname: q1\npoints: 1"), *OTTER[2:]], r"worth 2 points, more than the question's 1"),
    "settings left open": ([*OTTER[:7], cell("code", '""" # BEGIN TEST CONFIG\npoints: 1'), *OTTER[10:]], r"BEGIN TEST CONFIG without"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_CELLS)
def test_broken_notebooks_are_told_with_file_and_cell(name: str, tmp_path: Path) -> None:
    cells, said = BROKEN_CELLS[name]
    source = write(tmp_path / "lab.ipynb", cells)
    with pytest.raises(AuthoringError, match=said):
        assign(source)
    assert list(tmp_path.iterdir()) == [source]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("lab.ipynb", b"{", "it is not a notebook of format 4"),
        ("lab.ipynb", b'{"worksheets": []}', "it is not a notebook of format 4"),
        ("lab.ipynb", b"[" * 100_000, "it is not a notebook of format 4"),
        ("lab.py", "# %%\nx = 'é'".encode("latin-1"), r"line 2: it is not UTF-8 text"),
        ("lab.py", "# %%\nx = 1".encode("utf-16"), "it is not UTF-8 text"),
        ("lab.txt", b"", "a source is a notebook"),
        ("lab.py", None, "cannot be read"),
    ],
)
def test_what_is_not_a_source_is_told(name: str, content: bytes | None, said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(AuthoringError, match=said):
        assign(tmp_path / name)
