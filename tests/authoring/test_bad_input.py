"""Bad input to the commands from source to gradebook: each gives one line with file, place and remedy, and loses nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from jupyterlite_browsergrad.cli import main
from jupyterlite_browsergrad.exit_status import FAULTS, UNUSABLE
from tests.gradebook.test_gradebook import result
from tests.gradebook.test_gradebook import write as write_results

from .test_assign import NBGRADER, OTTER, SCRIPT, cell, graded, write

NAMES = ("ada", "bob")
ROSTER = "Name,ID,Email\nAda,1,ada@x.org\nBob,2,bob@x.org\n"
TIMES = "submission,time\nada.ipynb,2026-01-01T10:00\nbob.ipynb,2026-02-03T10:00\n"

ASSIGN = ("assign", "week.py", "--out", "labs/week")
ASSIGN_NOTEBOOK = ("assign", "sums.ipynb", "--out", "labs/sums")
IMPORT = ("import", "course", "--out", "labs")
MANUAL = ("grade", "labs/sums", "handed", "--manual", "hand")
BOOK = ("gradebook", "results.jsonl", "--out", "book", "--roster", "roster.csv", "--manual", "hand/manual.csv", "--due", "2026-02-01",
        "--times", "times.csv")  # fmt: skip
SCORM = ("package", "site", "--scorm")
MOODLE = ("package", "site", "--moodle")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with everything that the commands make, all of it in order."""
    root = tmp_path_factory.mktemp("course")
    (root / "week.py").write_text(SCRIPT, "utf-8")
    write(root / "sums.ipynb", NBGRADER)
    write(root / "course" / "source" / "ps1" / "twice.ipynb", NBGRADER)
    write(root / "course" / "source" / "hw1.ipynb", OTTER)
    (root / "roster.csv").write_text(ROSTER, "utf-8")
    (root / "times.csv").write_text(TIMES, "utf-8")
    write_results(root, *(result(f"handed/{name}.ipynb") | {"lab": "sums"} for name in NAMES))
    site = {"index.html": "", "notebooks/index.html": "", "jupyter-lite.json": "{}", "files/sums/sums.ipynb": ""}
    for name, text in site.items():
        (root / "site" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "site" / name).write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        for command in (ASSIGN, ASSIGN_NOTEBOOK):
            assert main(list(command)) == 0
        for name in NAMES:
            (root / "handed").mkdir(exist_ok=True)
            shutil.copyfile(root / "labs" / "sums" / "sums.ipynb", root / "handed" / f"{name}.ipynb")
        assert main(list(MANUAL)) == 0
        sheet = root / "hand" / "manual.csv"
        sheet.write_text(sheet.read_text("utf-8-sig").replace(",2,,", ",2,1,"), "utf-8-sig")
        for command in (MANUAL, BOOK, SCORM, MOODLE):
            assert main(list(command)) == 0
        assert main(["import", "course", "--out", "labs"]) == 0
    return root


Mend = Callable[[Path], object]


def put(name: str, content: str | bytes | Sequence[dict[str, Any]]) -> Mend:
    """Overwrite a file: with text, bytes, or the cells of a notebook."""

    def change(root: Path) -> None:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, (str, bytes)):
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        else:
            write(path, list(content))

    return change


def edit(name: str, old: str, new: str) -> Mend:
    """Replace a text in a file, which has it."""

    def change(root: Path) -> None:
        text = (root / name).read_bytes().decode()
        assert old in text
        (root / name).write_bytes(text.replace(old, new).encode())

    return change


def remove(name: str) -> Mend:
    def change(root: Path) -> None:
        path = root / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return change


def folder(name: str) -> Mend:
    """Put a folder in the place of a file."""

    def change(root: Path) -> None:
        if (root / name).exists():
            (root / name).unlink()
        (root / name).mkdir(parents=True)

    return change


def script(text: str) -> Mend:
    return put("week.py", text)


def cells(*more: dict[str, Any]) -> Mend:
    return put("sums.ipynb", [*NBGRADER, *more])


def otter(*several: dict[str, Any]) -> Mend:
    return put("sums.ipynb", several)


def handed(text: str) -> Mend:
    return put("results.jsonl", text)


def line(name: str, **more: Any) -> str:
    return json.dumps(result(name) | {"lab": "sums"} | more) + "\n"


SOLVED = "# %%\nx = 1  # SOLUTION\n"
TEST = "# %%\n# TEST a\nassert x == 1\n"
SHEET = "question,submission,possible,points\n"
#: What is wrong -> the change, the command, and the line that tells it: file and place, and then how to mend it.
BAD: dict[str, tuple[Mend, Sequence[str], str]] = {
    # sources
    "no source": (remove("week.py"), ASSIGN, r"week\.py cannot be read: No such file .*give"),
    "a folder as source": (folder("week.py"), ASSIGN, r"week\.py cannot be read: Is a directory.*give"),
    "a source of another kind": (put("week.txt", SCRIPT), ("assign", "week.txt"), r"week\.txt: a source is a notebook \(\.ipynb\) or"),
    "an empty source": (script(""), ASSIGN, r"week\.py: it has no tests.* begins with `# TEST name"),
    "only a byte order mark": (script("\ufeff"), ASSIGN, r"week\.py: it has no tests.* begins with `# TEST name"),
    "no solution": (script("# %%\nx = 1\n" + TEST), ASSIGN, r"week\.py: nothing is marked as a solution.*write ### BEGIN SOLUTION"),
    "Latin-1": (put("week.py", (SOLVED + TEST + "# é").encode("latin-1")), ASSIGN, r"week\.py: line 6: it is not UTF-8 text .*save it as UTF-8"),
    "UTF-16": (put("week.py", (SOLVED + TEST).encode("utf-16")), ASSIGN, r"week\.py: line 1: it is not UTF-8 text .*save it as UTF-8"),
    "a zero byte": (script(SOLVED + "# %%\n# TEST a\nassert x\0\n"), ASSIGN, r"week\.py: cell 2, line 4: .*'a' is not plain Python: .*null bytes"),
    "BEGIN without END": (script("# %%\n### BEGIN SOLUTION\nx = 1\n" + TEST), ASSIGN, r"week\.py: cell 1, line 2: BEGIN SOLUTION without END SOLUTION: add"),
    "END without BEGIN": (script("# %%\nx = 1\n### END SOLUTION\n" + TEST), ASSIGN, r"week\.py: cell 1, line 3: END SOLUTION without BEGIN SOLUTION: add"),
    "nested markers": (script("# %%\n### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION\n" + TEST), ASSIGN, r"cell 1, line 3: BEGIN SOLUTION inside of SOLUTION, .*line 2.*: end"),
    "a marker in small letters": (script("# %%\n### begin solution\nx = 1\n### end solution\n" + TEST), ASSIGN, r"cell 1, line 2: .* is not a marker: write it"),
    "two tests of one name": (script(SOLVED + TEST + TEST), ASSIGN, r"cell 3, line 7: another test is called 'a' already, in cell 2: rename"),
    "a test without code": (script(SOLVED + "# %%\n# TEST a\n"), ASSIGN, r"cell 2, line 4: the test 'a' has no code: write"),
    "points that are no number": (script(SOLVED + "# %%\n# TEST a (1.2.3 points)\nassert x\n"), ASSIGN, r"cell 2, line 4: '1\.2\.3' is not a number of points: write"),
    "a test that is not Python": (script(SOLVED + "# %%\n# TEST a\nassert x ==\n"), ASSIGN, r"cell 2, line 5: the test 'a' is not plain Python"),
    "a damaged manifest": (put("labs/week/manifest.json", "{"), ASSIGN, r"labs/week/manifest\.json cannot be read: .*line 1.* Mend it, or remove it"),
    "an edited lab": (put("labs/week/rubric.py", "mine\n"), ASSIGN, r"labs/week/rubric\.py was edited since it was made: move .* --force"),
    "a damaged record": (put("labs/week.hidden/assign.json", "[]"), ASSIGN, r"assign\.json cannot be read .* Remove it and give --force"),
    "a folder for a rubric": (folder("labs/week/rubric.py"), (*ASSIGN, "--force"), r"labs/week/rubric\.py .*folder.*(remove|move)"),
    "a file for the lab": (put("file", ""), ("assign", "week.py", "--out", "file"), r"file is a file: give another folder"),
    # notebooks
    "not JSON": (put("sums.ipynb", "{"), ASSIGN_NOTEBOOK, r"sums\.ipynb: it is not a notebook of format 4 .*: save it with a current Jupyter"),
    "a notebook of format 3": (put("sums.ipynb", '{"worksheets": []}'), ASSIGN_NOTEBOOK, r"sums\.ipynb: it is not a notebook of format 4 .*: save it"),
    "an empty notebook": (put("sums.ipynb", b""), ASSIGN_NOTEBOOK, r"sums\.ipynb: it is not a notebook of format 4 .*: save it"),
    "nested without end": (put("sums.ipynb", "[" * 100_000), ASSIGN_NOTEBOOK, r"sums\.ipynb: it is not a notebook of format 4 .*: save it"),
    "cells that are no list": (put("sums.ipynb", '{"cells": {"a": 1}}'), ASSIGN_NOTEBOOK, r"sums\.ipynb: it is not a notebook of format 4 .*: save it"),
    "outputs that are no list": (cells({**NBGRADER[4], "outputs": 5}), ASSIGN_NOTEBOOK, r"sums\.ipynb: it is not a notebook of format 4 .*: save it"),
    "metadata that is no object": (cells(cell("code", "x", metadata=[1])), ASSIGN_NOTEBOOK, r"sums\.ipynb: it is not a notebook of format 4 .*: save it"),
    "a source that is a number": (cells(cell("code", "x") | {"source": 5}), ASSIGN_NOTEBOOK, r"sums\.ipynb: it is not a notebook of format 4 .*: save it"),
    "one grade_id twice": (cells(NBGRADER[2]), ASSIGN_NOTEBOOK, r"sums\.ipynb: cell 6, line 1: another test is called 'test twice' already, in cell 3: rename"),
    "no grade_id": (cells(graded("code", "assert 1", grade=True, points=1)), ASSIGN_NOTEBOOK, r"cell 6, line 1: .* no grade_id: give"),
    "no points": (cells(graded("code", "assert 1", grade=True, grade_id="b")), ASSIGN_NOTEBOOK, r"cell 6, line 1: its points are None, and not a number from 0 on: set"),
    "negative points": (cells(graded("code", "assert 1", grade=True, points=-1, grade_id="b")), ASSIGN_NOTEBOOK, r"cell 6, line 1: its points are -1, and not a number from 0 on: set"),
    "endless points": (cells(graded("code", "assert 1", grade=True, points=float("inf"), grade_id="b")), ASSIGN_NOTEBOOK, r"cell 6, line 1: its points are inf, and not a number from 0 on: set"),
    "points that are a text": (cells(graded("code", "assert 1", grade=True, points="1", grade_id="b")), ASSIGN_NOTEBOOK, r"cell 6, line 1: its points are '1', and not a number from 0 on: set"),
    "metadata of a newer nbgrader": (cells(graded("code", "a", solution=True, schema_version=9, grade_id="b")), ASSIGN_NOTEBOOK, r"cell 6, line 1: .* version 9; versions 1 to 3 are known: "),
    "a version that is a list": (cells(graded("code", "a", solution=True, schema_version=[3], grade_id="b")), ASSIGN_NOTEBOOK, r"cell 6, line 1: .* version \[3\]; versions 1 to 3 are known: "),
    "a question left open": (otter(*OTTER[:-1]), ASSIGN_NOTEBOOK, r"cell 2, line 1: BEGIN QUESTION without END QUESTION: add"),
    "a question in a question": (otter(OTTER[1], *OTTER), ASSIGN_NOTEBOOK, r"cell 3, line 1: BEGIN QUESTION inside of QUESTION: "),
    "a question without a name": (otter(cell("raw", "# BEGIN QUESTION\npoints: 1"), *OTTER[2:]), ASSIGN_NOTEBOOK, r"cell 1, line 1: a question needs a name: a line such as"),
    "settings that are not YAML": (otter(cell("raw", "# BEGIN QUESTION\nname: [q"), *OTTER[2:]), ASSIGN_NOTEBOOK, r"cell 1, line 2: its settings are not YAML: .*: write"),
    "points of a question that are a text": (otter(cell("raw", "# BEGIN QUESTION\nname: q\npoints: many"), *OTTER[2:]), ASSIGN_NOTEBOOK, r"cell 1, line 1: the points of 'q' are 'many', and not .*: write"),
    "points of each test that are a text": (otter(cell("raw", "# BEGIN QUESTION\nname: q\npoints:\n    each: many"), *OTTER[2:]), ASSIGN_NOTEBOOK, r"cell 1, line 1: the points of 'q' are .*'many'.*, and not .*: write"),
    "a list of points with a text": (otter(cell("raw", "# BEGIN QUESTION\nname: q\npoints: [1, a, 2]"), *OTTER[2:]), ASSIGN_NOTEBOOK, r"cell 1, line 1: the points of 'q' are .*'a'.*, and not .*: write"),
    # courses
    "no course": (remove("course"), IMPORT, r"there is no file or folder course: give"),
    "a course without assignments": (put("empty/a.ipynb", [cell("code", "1")]), ("import", "empty", "--out", "labs"), r"empty: no notebook there has .*: give the folder source"),
    "a broken notebook in a course": (put("course/source/ps1/twice.ipynb", "{"), IMPORT, r"course/source/ps1/twice\.ipynb: it is not a notebook of format 4 .*: save it"),
    "a notebook that cannot be read": (folder("course/source/ps2/twice.ipynb"), ("import", "course/source/ps2/twice.ipynb", "--out", "labs"), r"course/source/ps2/twice\.ipynb.*: (no notebook|Is a directory).*give"),
    "Latin-1 in a course": (put("course/source/hw1.ipynb", '{"cells": ["é"]}'.encode("latin-1")), IMPORT, r"course/source/hw1\.ipynb: line 1: it is not UTF-8 text .*save it as UTF-8"),
    "two notebooks of one name": (put("course/x/source/ps1/twice.ipynb", NBGRADER), IMPORT, r"course/x/source/ps1/twice\.ipynb: .*course/source/ps1/twice\.ipynb.*: rename"),
    "an edited import": (put("labs/twice.hidden/twice.ipynb", NBGRADER[:-1]), IMPORT, r"labs/twice\.hidden/twice\.ipynb .*edited since it was imported.*--force"),
    "a file for the labs": (put("file", ""), ("import", "course", "--out", "file"), r"file is a file: give "),
    # answers
    "a lab without questions": (remove("labs/sums.hidden/manual.json"), MANUAL, r"there is no .*manual\.json: `jupyter browsergrad assign` writes"),
    "damaged questions": (put("labs/sums.hidden/manual.json", '{"questions": 5}'), MANUAL, r"manual\.json .*cannot be read: .*`jupyter browsergrad assign` writes it again"),
    "no submissions": (remove("handed"), MANUAL, r"there is no file or folder handed: give"),
    "a folder without submissions": (put("nothing/a.txt", ""), ("grade", "labs/sums", "nothing", "--manual", "hand"), r"no submissions in nothing: give notebooks"),
    "points of the sheet that are no number": (edit("hand/manual.csv", ",2,1,", ",2,good,"), MANUAL, r"hand/manual\.csv, line 2: points are 'good', and not a number .*leave them empty"),
    "a sheet in UTF-16 without a mark": (put("hand/manual.csv", SHEET.encode("utf-16-le") + b"\xff"), MANUAL, r"hand/manual\.csv, line \d: it is not UTF-8 text.*save it as CSV UTF-8"),
    "a sheet with zero bytes": (put("hand/manual.csv", SHEET.encode("utf-16-le")), MANUAL, r"hand/manual\.csv: its first line .*: keep the columns"),
    "an empty sheet": (put("hand/manual.csv", b""), MANUAL, r"hand/manual\.csv: its first line does not have .*: keep the columns"),
    "a sheet that is a folder": (folder("hand/manual.csv"), MANUAL, r"hand/manual\.csv is a folder: remove"),
    "a cell without an end": (put("hand/manual.csv", SHEET + 'why,"' + "x" * 200_000), MANUAL, r"hand/manual\.csv, line 2: it is not CSV: .*: save"),
    "a file for the sheet's folder": (put("file", ""), ("grade", "labs/sums", "handed", "--manual", "file"), r"file is a file: give "),
    # results
    "no results": (remove("results.jsonl"), BOOK, r"results\.jsonl cannot be read: No such file .*: run `jupyter browsergrad grade"),
    "results that are a folder": (folder("results.jsonl"), BOOK, r"results\.jsonl cannot be read: Is a directory.*: run `jupyter browsergrad grade"),
    "empty results": (handed(""), BOOK, r"results\.jsonl is empty: run"),
    "a torn result": (handed(line("handed/ada.ipynb") + '{"submission": "h'), BOOK, r"results\.jsonl, line 2, is not a result .*: remove"),
    "results in UTF-16": (put("results.jsonl", line("handed/ada.ipynb").encode("utf-16")), BOOK, r"results\.jsonl, line 1, is not a result .*: remove"),
    "results of two labs": (handed(line("handed/ada.ipynb") + line("handed/ada.ipynb", lab="x")), BOOK, r"results\.jsonl holds results of 2 labs, sums, x: choose one with --lab"),
    "points in results that are no number": (handed(line("handed/ada.ipynb", points={"earned": "x", "possible": 1})), BOOK, r"results\.jsonl, line 1, is not a result .*: remove"),
    "endless points in results": (handed(line("handed/ada.ipynb", points={"earned": float("inf"), "possible": 1})), BOOK, r"results\.jsonl, line 1, is not a result .*: remove"),
    # rosters and times
    "no roster": (remove("roster.csv"), BOOK, r"roster\.csv cannot be read: No such file .*: give"),
    "an empty roster": (put("roster.csv", ""), BOOK, r"roster\.csv is empty: it needs a first line"),
    "a roster without students": (put("roster.csv", "Name,ID\n"), BOOK, r"roster\.csv .*no students.*: "),
    "a roster with other columns": (put("roster.csv", "Colour,Size\nred,3\n"), BOOK, r"roster\.csv: none of its columns \(Colour, Size\) names students: it needs"),
    "a roster in Latin-1": (put("roster.csv", "Name\nAda\nZoë\n".encode("latin-1")), BOOK, r"roster\.csv, line 3: it is not UTF-8 text.*: save it as CSV UTF-8"),
    "a roster with a cell without an end": (put("roster.csv", 'Name,ID\n"Ada' + "x" * 200_000), BOOK, r"roster\.csv, line 2: it is not CSV: .*: save"),
    "one id for two students": (put("roster.csv", "Name,ID\nAda,1\nBob,1\n"), BOOK, r"roster\.csv, line 3: .*the id '1', .* line 2: correct"),
    "no times": (remove("times.csv"), BOOK, r"times\.csv cannot be read: No such file .*: give"),
    "a time that is none": (put("times.csv", "submission,time\nada.ipynb,noon\n"), BOOK, r"times\.csv, line 2: it needs the columns submission and time, such as"),
    "a time of nobody": (put("times.csv", "submission,time\neve.ipynb,2026-01-01\n"), BOOK, r"the list of times names 'eve\.ipynb', which is not a submission: "),
    "times in Latin-1": (put("times.csv", "submission,time\né,2026-01-01\n".encode("latin-1")), BOOK, r"times\.csv, line 2: it is not UTF-8 text.*: save it as CSV UTF-8"),
    "answers of nobody": (put("hand/manual.csv", SHEET + "why,handed/eve.ipynb,2,1\n"), BOOK, r"hand/manual\.csv, line 2: 'handed/eve\.ipynb' has no result: grade"),
    "more points than possible": (edit("hand/manual.csv", ",2,1,", ",2,3,"), BOOK, r"hand/manual\.csv, line 2: 3 points are more than the 2 of 'why': "),
    "one answer twice": (put("hand/manual.csv", SHEET + "why,handed/ada.ipynb,2,1\n" * 2), BOOK, r"hand/manual\.csv, line 3: 'why' of 'handed/ada\.ipynb' stands in line 2 already: remove"),
    "a table that is a folder": (lambda root: (remove("book/grades.csv")(root), folder("book/grades.csv")(root)), BOOK, r"book/grades\.csv .*folder.*: (re)?move"),
    "an overview that is a folder": (lambda root: (remove("book/overview.html")(root), folder("book/overview.html")(root)), BOOK, r"book/overview\.html .*folder.*: (re)?move"),
    "a file for the gradebook": (put("file", ""), ("gradebook", "results.jsonl", "--out", "file"), r"file is a file: give "),
    "no database": (remove("times.csv"), ("gradebook", "results.jsonl", "--out", "book", "--nbgrader-db", "none.db"), r"(nbgrader is not installed .*: pip install|there is no database none\.db: give)"),
    # sites
    "no site": (remove("site"), SCORM, r"site has no index\.html: give the folder"),
    "a site without settings": (remove("site/jupyter-lite.json"), MOODLE, r"site has no jupyter-lite\.json: give the folder"),
    "damaged settings": (put("site/jupyter-lite.json", "["), SCORM, r"site/jupyter-lite\.json cannot be read: .*: build"),
    "settings of another form": (put("site/jupyter-lite.json", '{"jupyter-config-data": []}'), SCORM, r"site/jupyter-lite\.json cannot be read: .*: build"),
    "settings in Latin-1": (put("site/jupyter-lite.json", '{"é": 1}'.encode("latin-1")), SCORM, r"site/jupyter-lite\.json cannot be read: .*: build"),
    "no notebook": (remove("site/files"), SCORM, r"the site has 0 notebooks: .*"),
    "another notebook": (put("site/files/b.ipynb", ""), (*SCORM, "--notebook", "c.ipynb"), r"the site has no notebook c\.ipynb: give --notebook, one of b\.ipynb, sums/sums\.ipynb"),
    "a name that Moodle changes": (put("site/files/a&b.txt", ""), MOODLE, r"files/a&b\.txt: Moodle would change this name.*: rename it"),
    "a folder for the package": (folder("site-scorm.zip"), SCORM, r"site-scorm\.zip cannot be written: .*: "),
}  # fmt: skip


def state(root: Path) -> dict[str, bytes | None]:
    """All files with their content, and all folders. The report of an import may change."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
        if path.name != "labs-import-report.md"
    }


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_in_one_line_and_nothing_is_lost(
    name: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change, command, said = BAD[name]
    root = tmp_path / "course"
    shutil.copytree(made, root)
    change(root)
    before = state(root)
    monkeypatch.chdir(root)
    assert main(list(command)) in (FAULTS, UNUSABLE)  # `tests/unit/test_exit_status.py` says which
    output = capsys.readouterr()
    found = [each for each in output.err.splitlines() if re.search(said, each)]
    assert len(found) == 1, output.err + output.out
    assert "Traceback" not in output.err + output.out
    after = state(root)
    # An import makes a lab of each notebook that is good.
    assert before.items() <= after.items() if command[0] == "import" else after == before


def test_the_table_is_long_enough() -> None:
    assert len(BAD) >= 40 and {command[0] for _, command, _ in BAD.values()} == {
        "assign",
        "import",
        "grade",
        "gradebook",
        "package",
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "course"
    shutil.copytree(made, root)
    (root / "book").chmod(0o500)
    monkeypatch.chdir(root)
    assert main(list(BOOK)) == UNUSABLE
    assert re.search(r"book.* cannot be written: Permission denied", capsys.readouterr().err)
