"""``jupyter browsergrad gradebook``."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.commands import gradebook
from jupyterlite_browsergrad.gradebook.students import who
from jupyterlite_browsergrad.gradebook.tables import FORMS, defused

NAMES = ("adds", "adds negatives")


def result(submission: str, earned: float = 3, **more: Any) -> dict[str, Any]:
    """A result of `grade`: two checks, worth 1 and 2 points."""
    kinds = ["pass" if earned >= 1 else "fail", "pass" if earned >= 3 else "fail"]
    assertions = []
    for name, kind, points in zip(NAMES, kinds, (1, 2), strict=True):
        one = {"kind": kind, "name": name, "points": points, "earned": points if kind == "pass" else 0, "group": "Sums"}
        assertions.append(one if kind == "pass" else one | {"message": f"got {len(submission)}", "actualRepr": "'<b>'"})
    counts = {kind: kinds.count(kind) for kind in ("pass", "fail", "error")}
    missing = [name for name, kind in zip(NAMES, kinds, strict=True) if kind != "pass"]
    return {"submission": submission, "sha256": "0", "lab": "sums", "lab_version": "1.0.0", "passed": not missing,
            "counts": counts, "points": {"earned": earned, "possible": 3}, "assertions": assertions,
            "missing": missing, "error": None} | more  # fmt: skip


def write(folder: Path, *results: dict[str, Any]) -> Path:
    path = folder / "results.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in results), "utf-8")
    return path


def table(folder: Path, name: str = "grades.csv") -> list[list[str]]:
    return list(csv.reader(io.StringIO((folder / name).read_bytes().decode("utf-8-sig"))))


def make(folder: Path, *options: str) -> int:
    return main(["gradebook", str(folder / "results.jsonl"), "--out", str(folder / "out"), *options])


def test_the_command_offers_every_form() -> None:
    assert tuple(FORMS) == gradebook.FORMS


@pytest.mark.parametrize(
    ("path", "platform", "key", "name"),
    [
        ("all/Ada Lovelace_1234567_assignsubmission_file/lab.ipynb", "moodle", "1234567", "Ada Lovelace"),
        ("all/Ada Lovelace_1234567_assignsubmission_file_/a/lab.ipynb", "moodle", "1234567", "Ada Lovelace"),
        ("all/O'Neil, J_r_77_assignsubmission_file_lab.ipynb", "moodle", "77", "O'Neil, J_r"),
        ("all/lovelaceada_1234_56789_lab.ipynb", "canvas", "1234", "lovelaceada"),
        ("all/lovelaceada_LATE_1234_56789_lab-2.ipynb", "canvas", "1234", "lovelaceada"),
        ("all/Lab 1_ada.l_attempt_2026-01-31-12-00-00_lab.ipynb", "blackboard", "ada.l", ""),
        ("all/Lab 1_ada_attempt_2026-13-31-12-00-00_lab.ipynb", "plain", "Lab 1_ada_attempt_2026-13-31-12-00-00_lab", None),
        ("all/ada.ipynb", "plain", "ada", "ada"),
    ],
)  # fmt: skip
def test_whose_a_submission_is_follows_from_its_name(path: str, platform: str, key: str, name: str | None) -> None:
    found = who([path])[path]
    assert (found.platform, found.key) == (platform, key)
    assert found.name == (key if name is None else name)
    assert found.late == ("_LATE_" in path)


def test_files_of_one_name_are_told_apart_by_their_folders() -> None:
    assert [each.key for each in who(["all/ada/lab.py", "all/bob/lab.py"]).values()] == ["ada", "bob"]


def test_canvas_gets_its_columns_in_the_order_of_its_export(tmp_path: Path) -> None:
    write(tmp_path, result("s/lovelaceada_11_900_lab.py"), result("s/turingalan_12_901_lab.py", 1))
    (tmp_path / "roster.csv").write_text(
        'Student,ID,SIS User ID,SIS Login ID,Section\n"    Points Possible",,,,\n"Turing, Alan",12,S12,alan,A\n'
        '"Hopper, Grace",13,S13,grace,A\n"Lovelace, Ada",11,S11,ada,B\n',
        "utf-8",
    )
    assert make(tmp_path, "--for", "canvas", "--roster", str(tmp_path / "roster.csv"), "--column", "Sums (5150)") == 0
    assert table(tmp_path / "out") == [
        ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Sums (5150)"],
        ["    Points Possible", "", "", "", "", "3"],
        ["Turing, Alan", "12", "S12", "alan", "A", "1"],
        ["Hopper, Grace", "13", "S13", "grace", "A", ""],
        ["Lovelace, Ada", "11", "S11", "ada", "B", "3"],
    ]


def test_moodle_gets_its_grading_worksheet(tmp_path: Path) -> None:
    write(tmp_path, result("s/Ada Lovelace_11_assignsubmission_file/lab.py", 1))
    assert make(tmp_path, "--for", "moodle") == 0
    head, row = table(tmp_path / "out")
    assert head == ["Identifier", "Full name", "Email address", "Grade", "Maximum grade", "Feedback comments"]
    assert row == ["Participant 11", "Ada Lovelace", "", "1", "3", "Not passed: adds negatives."]


def test_blackboard_gets_logins_and_lateness_comes_from_its_names(tmp_path: Path) -> None:
    write(
        tmp_path,
        result("s/Lab_ada_attempt_2026-01-30-12-00-00_lab.py", 1),
        result("s/Lab_ada_attempt_2026-02-03-00-00-01_lab.py", 3),
    )
    late = ("--due", "2026-02-01T00:00", "--late-penalty", "10", "--late-days", "1")
    assert make(tmp_path, "--for", "blackboard", *late) == 0
    assert table(tmp_path / "out") == [["Last Name", "First Name", "Username", "sums"], ["", "", "ada", "2.4"]]
    assert "3 days late" in (tmp_path / "out/feedback/ada.html").read_text("utf-8")
    assert "there is a later attempt" in table(tmp_path / "out", "left-over.csv")[1][3]


def test_lateness_and_points_have_a_most(tmp_path: Path) -> None:
    write(tmp_path, result("s/ada.py"), result("s/bob.py"))
    (tmp_path / "times.csv").write_text("submission,time\nada.py,2026-03-01T10:00\ns/bob.py,2026-01-01\n", "utf-8")
    rule = ("--due", "2026-02-01", "--late-penalty", "10", "--late-most", "50", "--times", str(tmp_path / "times.csv"))
    assert make(tmp_path, *rule, "--cap", "2") == 0
    head, ada, bob = table(tmp_path / "out")
    place = [head.index(name) for name in ("grade", "earned", "late_days")]
    assert [ada[each] for each in place] == ["1.5", "3", "29"]
    assert [bob[each] for each in place] == ["2", "3", "0"]


def test_checks_without_points_are_worth_one_each(tmp_path: Path) -> None:
    plain = result("s/ada.py", 1)
    del plain["points"]
    write(tmp_path, plain)
    assert make(tmp_path) == 0
    head, row = table(tmp_path / "out")
    assert (row[head.index("earned")], row[head.index("possible")]) == ("1", "2")


def test_the_last_line_of_a_submission_counts(tmp_path: Path) -> None:
    write(tmp_path, result("s/ada.py", 1), result("s/ada.py", 3))
    assert make(tmp_path) == 0
    assert table(tmp_path / "out")[1][4] == "3"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1", "=cmd|' /C calc'!A0"])
def test_texts_that_a_spreadsheet_would_compute_are_defused(text: str, tmp_path: Path) -> None:
    assert defused(text).startswith("'")
    write(tmp_path, result(f"s/{text}/lab.py"), result("s/other/lab.py"))
    make(tmp_path)
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in table(tmp_path / "out") for cell in row)


def test_200_submissions_become_a_table_for_canvas(tmp_path: Path) -> None:
    write(
        tmp_path,
        *(result(f"s/student{n}_{n + 1000}_{n + 5000}_lab.py", n % 4 if n % 4 != 2 else 1) for n in range(200)),
    )
    assert make(tmp_path, "--for", "canvas") == 0
    rows = table(tmp_path / "out")[2:]
    assert len(rows) == 200 and len({row[1] for row in rows}) == 200
    assert len(list((tmp_path / "out/feedback").iterdir())) == 200


class Page(HTMLParser):
    """Collects the addresses that a page would load, run or link to, its headings, and elements that are not closed."""

    VOID = ("meta", "br", "link", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.forbidden: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "link", "img", "form", "b"):
            self.forbidden.append(tag)
        self.forbidden += [name for name, _ in attrs if name.startswith("on") or name == "src"]
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_pages_are_whole_load_nothing_and_show_texts_as_texts(tmp_path: Path) -> None:
    bad = result("s/<script>alert(1)<|script>.py", 1, error={"kind": "runtime", "ename": "E<b>", "evalue": "\x1b[31m"})
    write(tmp_path, bad, result("s/ada.py", 1), result("s/bob.py"))
    assert make(tmp_path) == 0
    pages = [tmp_path / "out/overview.html", *(tmp_path / "out/feedback").iterdir()]
    assert len(pages) == 4
    for path in pages:
        text = path.read_text("utf-8")
        page = Page(text)
        assert (page.forbidden, page.open) == ([], []) and "default-src 'none'" in text
        assert all((path.parent / link.replace("%3C", "<")).is_file() for link in page.links)
        assert "prefers-color-scheme: dark" in text and "\x1b" not in text
    overview = pages[0].read_text("utf-8")
    assert "3 of 3 students handed in, 1 passed all checks" in overview
    assert re.search(r"<td>adds negatives</td><td class=\"n\">2 of 3</td>", overview)
    assert re.search(r"<h2>Similar failures</h2>.*got \d+.*<td class=\"n\">2</td>", overview, re.DOTALL)
    feedback = (tmp_path / "out/feedback/ada.html").read_text("utf-8")
    assert "1 of 3 points" in feedback and "&#x27;&lt;b&gt;&#x27;" in feedback and "0 / 2" in feedback


ROSTER = "Name,ID,Email\nAda Lovelace,1,ada@x.org\nAlan Turing,2,alan@x.org\n"


def test_unknown_students_are_told_and_nothing_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, result("s/ada.py"), result("s/Alan Turing.py"), result("s/eve.py", 1))
    (tmp_path / "roster.csv").write_text(ROSTER, "utf-8")
    assert make(tmp_path, "--roster", str(tmp_path / "roster.csv")) == 1
    said = capsys.readouterr()
    assert "s/eve.py: no student of" in said.err and "2 of 2 students have a grade" in said.out
    assert table(tmp_path / "out", "left-over.csv")[1][:3] == ["s/eve.py", "1", "3"]
    assert "s/eve.py" in (tmp_path / "out/overview.html").read_text("utf-8")
    # Once all submissions have a row, the list of the others is removed.
    with (tmp_path / "roster.csv").open("a", encoding="utf-8") as file:
        file.write("Eve,3,eve@x.org\n")
    assert make(tmp_path, "--roster", str(tmp_path / "roster.csv")) == 0
    assert not (tmp_path / "out/left-over.csv").exists()


def test_two_submissions_of_one_student_are_told_where_neither_is_the_last(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, result("s/ada.py"), result("s/ada@x.org.py", 1))
    (tmp_path / "roster.csv").write_text(ROSTER, "utf-8")
    assert make(tmp_path, "--roster", str(tmp_path / "roster.csv")) == 1
    assert "one student has 2 submissions" in capsys.readouterr().err
    assert len(table(tmp_path / "out", "left-over.csv")) == 3


def test_a_name_that_two_students_have_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, result("s/Ada Lovelace.py"))
    (tmp_path / "roster.csv").write_text(ROSTER + "Lovelace Ada,3,a@x.org\n", "utf-8")
    assert make(tmp_path, "--roster", str(tmp_path / "roster.csv")) == 1
    assert "2 students of" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rosters_are_read_in_the_encodings_and_with_the_delimiters_of_platforms(
    encoding: str, delimiter: str, tmp_path: Path
) -> None:
    write(tmp_path, result("s/x_7_8_lab.py"))
    (tmp_path / "roster.csv").write_bytes("Student;ID\r\nZoë Ångström;7\r\n".replace(";", delimiter).encode(encoding))
    assert make(tmp_path, "--roster", str(tmp_path / "roster.csv")) == 0
    assert table(tmp_path / "out")[1][:2] == ["Zoë Ångström", "7"]


#: File -> its content, and the text of the error.
BAD: dict[str, tuple[str, bytes, str]] = {
    "no result": ("results.jsonl", b'{"a": 1}\n', r"results.jsonl, line 1, is not a result"),
    "no JSON": ("results.jsonl", b"x\n", r"line 1, is not a result"),
    "torn": ("results.jsonl", json.dumps(result("a.py")).encode() + b'\n{"submission"', r"line 2, is not a result"),
    "bad counts": ("results.jsonl", json.dumps(result("a.py", counts=1)).encode(), r"line 1, is not a result"),
    "bad points": ("results.jsonl", json.dumps(result("a.py", points={"earned": "x"})).encode(), r"line 1, is not a result"),
    "nested": ("results.jsonl", b"[" * 100_000, r"line 1, is not a result"),
    "empty results": ("results.jsonl", b"\n", r"is empty: run"),
    "two labs": ("results.jsonl", "\n".join(json.dumps(result("a", lab=lab)) for lab in "ab").encode(), r"results of 2 labs, a, b"),
    "empty roster": ("roster.csv", b"", r"roster.csv is empty"),
    "columns": ("roster.csv", b"Colour,Size\nred,3\n", r"none of its columns \(Colour, Size\) names students"),
    "latin-1 roster": ("roster.csv", "Name\nAda\nZoë\n".encode("latin-1"), r"line 3: it is not UTF-8 text"),
    "torn UTF-16": ("roster.csv", "Name\nAda".encode("utf-16")[:-1], r"it is not UTF-16 text"),
    "same id": ("roster.csv", b"Name,ID\nAda,1\nBob,1\n", r"two students have the id '1'"),
    "same email": ("roster.csv", b"Name,Email\nAda,a@x\nBob,A@x\n", r"two students have the email"),
    "no time": ("times.csv", b"submission,time\nada.py,noon\n", r"times.csv, line 2: it needs the columns"),
    "no column of times": ("times.csv", b"who,when\nada.py,2026-01-01\n", r"times.csv, line 2: it needs the columns"),
    "time of nobody": ("times.csv", b"submission,time\neve.py,2026-01-01\n", r"names 'eve.py', which is not a submission"),
    "time twice": ("times.csv", b"submission,time\nada.py,2026-01-01\nada.py,2026-01-01\n", r"'ada.py' comes a second time"),
    "latin-1 times": ("times.csv", "submission,time\né,2026-01-01\n".encode("latin-1"), r"times.csv, line 2: it is not UTF-8 text"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_and_nothing_is_written(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, result("s/ada.py"))
    file, content, said = BAD[name]
    (tmp_path / file).write_bytes(content)
    options = {"roster.csv": ["--roster"], "times.csv": ["--due", "2026-01-01", "--times"]}.get(file, [])
    assert make(tmp_path, *options, *([str(tmp_path / file)] if options else [])) == 2
    assert re.search(said, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()
    assert (tmp_path / file).read_bytes() == content


def test_a_workbook_has_numbers_as_numbers_and_no_formula(tmp_path: Path) -> None:
    write(tmp_path, result("s/=1+1.py", 1))
    assert make(tmp_path, "--excel") == 0
    rows = list(openpyxl.load_workbook(tmp_path / "out/grades.xlsx").active.iter_rows(values_only=True))
    assert rows[1][0] == "'=1+1" and rows[1][4] == 1


def test_a_workbook_without_openpyxl_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    write(tmp_path, result("s/ada.py"))
    assert make(tmp_path, "--excel") == 2
    assert 'pip install "jupyterlite-browsergrad[excel]"' in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_lateness_needs_the_time_when_it_was_due(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, result("s/ada.py"))
    assert make(tmp_path, "--late-penalty", "10") == 2
    assert "give --due TIME" in capsys.readouterr().err


def test_pages_of_students_with_one_name_are_all_kept(tmp_path: Path) -> None:
    write(
        tmp_path,
        result("s/Ada_1_assignsubmission_file/a.py"),
        result("s/ADA_1_assignsubmission_file/b.py"),
        result("s/+_.py"),
    )
    make(tmp_path)
    assert len(list((tmp_path / "out/feedback").iterdir())) == 3


def test_without_nbgrader_its_database_stays_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    write(tmp_path, result("s/ada.py"))
    (tmp_path / "gradebook.db").write_bytes(b"data")
    assert make(tmp_path, "--nbgrader-db", str(tmp_path / "gradebook.db")) == 2
    assert "nbgrader is not installed in this environment" in capsys.readouterr().err
    assert (tmp_path / "gradebook.db").read_bytes() == b"data"
    assert not (tmp_path / "out").exists()
