"""The tutorials, typed as their pages say, from an empty folder to results. Commands that other pages show exist."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyterlite_browsergrad import cli

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
TUTORIAL = (DOCS / "tutorial" / "from-nothing.md").read_text("utf-8")
FROM_NBGRADER = (DOCS / "tutorial" / "index.md").read_text("utf-8")
FILES = ["manifest.json", "reference.py", "rubric.py", "search.ipynb", "starter.py"]
#: Commands that the tests do not run, since their environment is ready.
INSTALLED = re.compile(r"^(python -m venv|source|pip install) .*\n", re.MULTILINE)


def blocks(text: str, language: str) -> list[str]:
    """The fenced code of a page."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)


Bash = Callable[[str], str]


@pytest.fixture
def bash(tmp_path: Path) -> Bash:
    """Runs a script in an empty folder, with this environment's commands, and returns the text that it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def run(script: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout

    return run


def test_the_way_from_nbgrader_to_the_gradebook_works_as_it_is_written(bash: Bash, tmp_path: Path) -> None:
    install, mkdir, imported, again, build, grade, book = (
        INSTALLED.sub("", each) for each in blocks(FROM_NBGRADER, "bash")
    )
    bash(install + mkdir)
    (notebook,) = blocks(FROM_NBGRADER, "json")
    (tmp_path / "old-course/source/week1/squares.ipynb").write_text(notebook, "utf-8")
    said = bash(imported)
    assert re.search(r"`(squares: \d.*?)`", FROM_NBGRADER)[1] in said  # type: ignore[index]
    assert said.endswith("manifest.json: ok\n")
    assert "nothing changed" in bash(again)
    *commands, serve = build.strip().splitlines()
    assert serve == "jupyter browsergrad serve site"  # as in the other tutorial
    bash("\n".join(commands))
    with zipfile.ZipFile(tmp_path / "site-moodle.zip") as site:
        names = site.namelist()
    assert "files/squares/squares.ipynb" in names
    assert not [name for name in names if "hidden" in name or "reference" in name]
    said = bash(grade)
    for told in re.findall(r"`((?:results\.jsonl|by-hand/manual\.csv): .*?)`", FROM_NBGRADER):
        assert told in said
    sheet = tmp_path / "by-hand/manual.csv"
    rows = list(csv.DictReader(io.StringIO(sheet.read_bytes().decode("utf-8-sig"))))
    for row, points in zip(rows, ("1", "0"), strict=True):
        row["points"] = points
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    bash(book)
    table = csv.DictReader(io.StringIO((tmp_path / "gradebook/grades.csv").read_text("utf-8-sig")))
    assert [(row["Full name"], row["Grade"], row["Maximum grade"]) for row in table] == [
        ("Ada Lovelace", "3", "3"),
        ("Alan Turing", "0", "3"),
    ]
    assert len(list((tmp_path / "gradebook/feedback").iterdir())) == 2


def test_the_tutorial_works_as_it_is_written(bash: Bash, tmp_path: Path) -> None:
    install, mkdir, validate, check, build, grade = (INSTALLED.sub("", each) for each in blocks(TUTORIAL, "bash"))
    assert re.search(r"\d\.\d", bash(install))
    bash(mkdir)
    files = re.findall(r"`(course/search/\w+\.\w+)`.*?\n\n```\w+\n(.*?)```", TUTORIAL, re.DOTALL)
    for name, content in files:
        (tmp_path / name).write_text(content, "utf-8")
    assert sorted(path.name for path in (tmp_path / "course/search").iterdir()) == FILES
    bash(validate)
    assert bash(check).endswith("manifest.json: ok\n")

    *commands, serve = build.strip().splitlines()
    bash("\n".join(commands))
    with subprocess.Popen(
        [*shlex.split(serve.replace("jupyter", f"{sys.executable} -m jupyter", 1)), "--port", "0"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            (address,) = re.findall(r"http://\S+", server.stdout.readline())
            with urllib.request.urlopen(f"{address}lab/index.html") as page:
                assert page.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
            with urllib.request.urlopen(f"{address}files/search/search.ipynb") as page:
                assert len(json.load(page)["cells"]) == 2
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(f"{address}files/search/reference.py")
        finally:
            server.terminate()

    said = bash(grade)
    assert re.search(r"`(results\.jsonl: .*?)`", TUTORIAL)[1] in said  # type: ignore[index]
    results = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text("utf-8").splitlines()]
    assert {Path(each["submission"]).stem: each["passed"] for each in results} == {"ada": True, "bob": False}


COMMAND = re.compile(r"(?<![\w/])jupyter browsergrad +([a-z][^\n`]*)")
PAGES = [path for path in sorted(DOCS.rglob("*.md")) if "_build" not in path.parts and "runtime" not in path.parts]


@pytest.mark.parametrize("page", [*PAGES, DOCS.parent / "README.md"], ids=lambda path: path.name)
def test_commands_that_a_page_shows_are_understood(page: Path) -> None:
    text = page.read_text("utf-8")
    shown = "\n".join([*blocks(text, "bash"), *re.findall(r"`(jupyter browsergrad [^`]*)`", text)])
    for found in COMMAND.findall(shown):
        words = shlex.split(re.sub(r"\s(#|>|&&|\|).*", "", found))
        if len(words) == 1:
            assert words[0].strip(",.:;") in cli.COMMANDS, found
        else:
            try:
                cli.parser().parse_args(words)
            except SystemExit as error:
                assert not error.code, found
