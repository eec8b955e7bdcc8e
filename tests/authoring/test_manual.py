"""Answers that a person grades: ``grade --manual`` and ``gradebook --manual``."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad.authoring.assignment import assign
from jupyterlite_browsergrad.cli import main
from tests.gradebook.test_gradebook import result, table
from tests.gradebook.test_gradebook import write as write_results

from .test_assign import NBGRADER, OTTER, SCRIPT, cell, graded, write

TASK = graded("markdown", "Find a formula.\n### BEGIN MARK SCHEME\n2 for any\n### END MARK SCHEME", task=True, points=4, grade_id="formula")  # fmt: skip
Cells = list[dict[str, Any]]


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """A lab with two questions by hand: `why`, worth 2 points, and the task `formula`, worth 4."""
    return assign(write(tmp_path / "sums.ipynb", [*NBGRADER, TASK, cell("markdown", "The end.")])).folder


def hand_in(lab: Path, name: str, answer: str | None, *added: dict[str, Any]) -> Path:
    """A submission: the lab's notebook with an answer to `why` (None: without that cell), and with cells below the task."""
    notebook = json.loads((lab / f"{lab.name}.ipynb").read_text("utf-8"))
    cells: Cells = []
    for each in notebook["cells"]:
        marks = each["metadata"].get("browsergrad", {}).get("manual")
        if marks == "why":
            if answer is None:
                continue
            each["source"] = answer
        cells.append(each)
        if marks == "formula":
            cells += added
    path = lab.parent / "in" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(notebook | {"cells": cells}), "utf-8")
    return path


def collect(lab: Path) -> int:
    return main(["grade", str(lab), str(lab.parent / "in"), "--manual", str(lab.parent / "hand")])


def lines(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((folder / "hand" / "manual.csv").read_bytes().decode("utf-8-sig"))))


def fill(folder: Path, *values: tuple[str, str], **spreadsheet: Any) -> None:
    """Fill in points and comments, from the first line on, and save the sheet as a spreadsheet does."""
    rows = lines(folder)
    for row, (points, comment) in zip(rows, values, strict=False):
        row |= {"points": points, "comment": comment}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=spreadsheet.get("delimiter", ","))
    writer.writeheader()
    writer.writerows(rows)
    (folder / "hand" / "manual.csv").write_bytes(text.getvalue().encode(spreadsheet.get("encoding", "utf-8")))


def book(folder: Path, *options: str) -> int:
    sheet = str(folder / "hand" / "manual.csv")
    return main(["gradebook", str(folder / "results.jsonl"), "--out", str(folder / "out"), "--manual", sheet, *options])


def test_answers_are_collected_question_by_question_with_the_reference_beside_them(
    lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(lab, "ada.ipynb", "Since <b>", cell("markdown", "n(n+1)/2"), cell("code", "check = 1"))
    hand_in(lab, "bob.ipynb", None)
    (tmp_path / "in" / "eve.ipynb").write_text("{", "utf-8")
    (tmp_path / "in" / "fay.py").write_text("x = 1", "utf-8")
    assert collect(lab) == 0
    assert "8 answers to 2 questions, 8 of them not graded yet" in capsys.readouterr().out
    rows = lines(tmp_path)
    assert [(row["question"], Path(row["submission"]).name) for row in rows[:5]] == [
        ("why", "ada.ipynb"), ("why", "bob.ipynb"), ("why", "eve.ipynb"), ("why", "fay.py"), ("formula", "ada.ipynb")
    ]  # fmt: skip
    assert [row["possible"] for row in rows] == ["2"] * 4 + ["4"] * 4
    assert rows[0]["answer"] == "Since <b>" and rows[4]["answer"] == "n(n+1)/2\n\ncheck = 1"
    assert "no such cell" in rows[1]["note"] and "cannot be read" in rows[2]["note"]
    assert "Python file" in rows[3]["note"] and rows[3]["answer"] == "x = 1"
    assert rows[5]["answer"] == "" and rows[5]["note"] == "there is no answer"
    page = (tmp_path / "hand" / "manual.html").read_text("utf-8")
    assert "Since &lt;b&gt;" in page and "Because." in page and "2 for any" in page and 'id="row-8"' in page
    assert "<script" not in page


def test_points_by_hand_are_added_to_those_of_checks_and_shown_to_students(lab: Path, tmp_path: Path) -> None:
    ada, bob = (hand_in(lab, f"{name}.ipynb", "x").as_posix() for name in ("ada", "bob"))
    collect(lab)
    fill(tmp_path, ("1.5", "Nearly & well"), ("2", ""), ("4", ""), ("0", "=Nothing"))
    write_results(tmp_path, result(ada, 3), result(bob, 1))
    assert book(tmp_path) == 0
    head, first, second = table(tmp_path / "out")
    places = [head.index(name) for name in ("grade", "earned", "possible", "by_hand", "not_graded")]
    assert [first[each] for each in places] == ["8.5", "8.5", "9", "5.5", "0"]
    assert [second[each] for each in places] == ["3", "3", "9", "2", "0"]
    page = (tmp_path / "out/feedback/ada.html").read_text("utf-8")
    assert "Nearly &amp; well" in page and "1.5 / 2" in page and "8.5 of 9 points" in page
    assert book(tmp_path, "--for", "moodle") == 0
    assert table(tmp_path / "out")[2][5] == "Not passed: adds negatives. formula: =Nothing"


def test_answers_that_are_not_graded_yet_are_told(
    lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ada = hand_in(lab, "ada.ipynb", "x").as_posix()
    collect(lab)
    fill(tmp_path, ("2", ""))
    write_results(tmp_path, result(ada, 3), result("in/late.ipynb", 3))
    assert book(tmp_path) == 1
    # One answer of Ada's, and both answers of the student who handed in after the answers were collected.
    assert "3 answers are not graded yet" in capsys.readouterr().err
    assert "Not graded yet" in (tmp_path / "out/feedback/ada.html").read_text("utf-8")
    assert "2 answers not graded yet" in (tmp_path / "out/overview.html").read_text("utf-8")


def test_what_was_filled_in_stays_when_answers_are_collected_again(
    lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hand_in(lab, "ada.ipynb", "old")
    bob = hand_in(lab, "bob.ipynb", "old")
    collect(lab)
    fill(tmp_path, ("1", "short"), ("2", "fine"))
    hand_in(lab, "ada.ipynb", "new")
    bob.rename(tmp_path / "bob.ipynb")
    hand_in(lab, "cy.ipynb", "third")
    assert collect(lab) == 0
    found = {(row["question"], Path(row["submission"]).name): row for row in lines(tmp_path)}
    assert len(found) == 6
    assert found["why", "ada.ipynb"]["points"] == "1" and "has changed" in found["why", "ada.ipynb"]["note"]
    assert found["why", "bob.ipynb"]["points"] == "2" and found["why", "bob.ipynb"]["comment"] == "fine"
    assert found["why", "cy.ipynb"]["points"] == ""
    # The note stays until the teacher has looked at the answer.
    collect(lab)
    assert sum("has changed" in row["note"] for row in lines(tmp_path)) == 1
    write_results(tmp_path, *(result((tmp_path / "in" / f"{name}.ipynb").as_posix()) for name in ("ada", "bob", "cy")))
    assert book(tmp_path) == 1
    assert "'why' of" in capsys.readouterr().err


def test_a_question_that_was_removed_keeps_its_lines_and_counts_no_more(lab: Path, tmp_path: Path) -> None:
    ada = hand_in(lab, "ada.ipynb", "x").as_posix()
    collect(lab)
    fill(tmp_path, ("2", ""), ("3", "good"))
    assign(write(tmp_path / "sums.ipynb", NBGRADER))
    collect(lab)
    assert [row["points"] for row in lines(tmp_path)] == ["2", "3"]
    assert "does not count" in lines(tmp_path)[1]["note"]
    write_results(tmp_path, result(ada, 3))
    assert book(tmp_path) == 0
    head, row = table(tmp_path / "out")
    assert (row[head.index("grade")], row[head.index("possible")]) == ("5", "5")


@pytest.mark.parametrize(("delimiter", "encoding"), [(";", "utf-8-sig"), ("\t", "utf-16"), (",", "utf-8")])
def test_sheets_are_read_as_spreadsheets_save_them(delimiter: str, encoding: str, lab: Path, tmp_path: Path) -> None:
    ada = hand_in(lab, "ä, =1;.ipynb", 'a\nb,;\t"c"').as_posix()
    collect(lab)
    fill(tmp_path, ("1,5", "é"), ("4", ""), delimiter=delimiter, encoding=encoding)
    write_results(tmp_path, result(ada, 3))
    assert book(tmp_path) == 0
    head, row = table(tmp_path / "out")
    assert row[head.index("by_hand")] == "5.5"


HEAD = "question,submission,possible,points,lab\n"
#: The sheet -> the text of the error.
BAD: dict[str, tuple[bytes, str]] = {
    "no column": (b"question,submission,points\n", r"does not have the column 'possible' once"),
    "column twice": (b"question,submission,possible,points,points\n", r"does not have the column 'points' once"),
    "empty": (b"", r"does not have the column 'question' once"),
    "no number": (b"why,in/ada.py,2,good,\n", r"line 2: points are 'good', and not a number"),
    "negative": (b"why,in/ada.py,2,-1,\n", r"line 2: points are '-1', and not a number from 0 on"),
    "not finite": (b"why,in/ada.py,2,nan,\n", r"line 2: points are 'nan'"),
    "too many": (b"why,in/ada.py,2,3,\n", r"line 2: 3 points are more than the 2 of 'why'"),
    "possible": (b"why,in/ada.py,two,1,\n", r"line 2: possible is 'two'"),
    "two possible": (b"why,in/ada.py,2,1,\nwhy,in/bob.py,3,1,\n", r"line 3: 'why' has 3 possible points here, 2 in line 2"),
    "no question": (b",in/ada.py,2,1,\n", r"line 2: it needs a question and a submission"),
    "twice": (b"why,in/ada.py,2,1,\nwhy,in/ada.py,2,2,\n", r"line 3: 'why' of 'in/ada.py' stands in line 2 already"),
    "nobody's": (b"why,in/ada.py,2,1,\nwhy,in/eve.py,2,1,\n", r"line 3: 'in/eve.py' has no result"),
    "another lab": (b"why,in/ada.py,2,1,areas\n", r"line 2: it is of the lab 'areas', and the results are of 'sums'"),
    "none of these": (b"why,in/eve.py,2,,\n", r"has no lines of these results' submissions"),
    "latin-1": ("why,in/ada.py,2,1,é\n".encode("latin-1"), r"line 2: it is not UTF-8 text"),
    "after a long cell": (b'"a\nb",in/ada.py,2,1,\nwhy,in/ada.py,2,x,\n', r"line 4: points are 'x'"),
    "all at once": (b"why,in/ada.py,2,x,\nwhy,in/bob.py,2,9,\n", r"(?s)line 2: points.*line 3: 9 points"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_lines_are_told_with_their_place_and_nothing_is_written(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, said = BAD[name]
    if "column" not in said:
        content = HEAD.encode() + content
    write_results(tmp_path, result("in/ada.py"), result("in/bob.py"))
    (tmp_path / "hand").mkdir()
    (tmp_path / "hand" / "manual.csv").write_bytes(content)
    assert book(tmp_path) == 2
    assert re.search(said, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()
    assert (tmp_path / "hand" / "manual.csv").read_bytes() == content


def test_a_sheet_with_errors_is_not_overwritten(lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hand_in(lab, "ada.ipynb", "x")
    collect(lab)
    fill(tmp_path, ("ten", "long work"))
    before = (tmp_path / "hand" / "manual.csv").read_bytes()
    assert collect(lab) == 2
    assert "line 2: points are 'ten'" in capsys.readouterr().err
    assert (tmp_path / "hand" / "manual.csv").read_bytes() == before


def test_a_lab_without_such_cells_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "circle.py").write_text(SCRIPT, "utf-8")
    lab = assign(tmp_path / "circle.py").folder
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.py").write_text("", "utf-8")
    assert collect(lab) == 2
    assert "writes manual.json for a source with cells that are graded by hand" in capsys.readouterr().err


def test_otters_manual_questions_are_graded_by_hand(tmp_path: Path) -> None:
    essay = [
        cell("raw", "# BEGIN QUESTION\nname: q2\nmanual: true\npoints: 4"), cell("markdown", "Say why."),
        cell("raw", "# BEGIN SOLUTION"), cell("markdown", "So it is."), cell("code", "y = 2 # SOLUTION"),
        cell("raw", "# END SOLUTION"), cell("raw", "# END QUESTION"),
    ]  # fmt: skip
    made = assign(write(tmp_path / "hw.ipynb", [*OTTER, *essay]))
    assert [(each.name, each.points, each.guide) for each in made.plan.manual] == [
        ("q2", 4, ["So it is.", "y = 2 # SOLUTION"])
    ]
    student = json.loads((made.folder / "hw.ipynb").read_text("utf-8"))["cells"]
    assert ["".join(each["source"]) for each in student if each["metadata"] == {"browsergrad": {"manual": "q2"}}] == [
        "_Type your answer here, replacing this text._",
        "y = ...",
    ]


def test_a_script_marks_questions_by_a_comment(tmp_path: Path) -> None:
    more = (
        "\n# %% [markdown]\n# <!-- MANUAL why (2 points) -->\n# ### BEGIN SOLUTION\n# Because.\n# ### END SOLUTION\n"
        "\n# %%\n# MANUAL a plot (1.5 points)\nplot = 1  # SOLUTION\n"
    )
    (tmp_path / "circle.py").write_text(SCRIPT + more, "utf-8")
    made = assign(tmp_path / "circle.py")
    assert [(each.name, each.points) for each in made.plan.manual] == [("why", 2), ("a plot", 1.5)]
    cells = json.loads((made.folder / "circle.ipynb").read_text("utf-8"))["cells"][-2:]
    assert ["".join(each["source"]) for each in cells] == ["YOUR ANSWER HERE", "plot = ..."]
    assert "Because." not in (made.folder / "circle.ipynb").read_text("utf-8")
