"""The tutorial, typed as the page says, from an empty folder to results; and commands that other pages show exist."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from jupyterlite_browsergrad import cli

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
TUTORIAL = (DOCS / "tutorial" / "index.md").read_text("utf-8")
FILES = ["manifest.json", "reference.py", "rubric.py", "search.ipynb", "starter.py"]
#: Done for whoever runs the tests: the environment is theirs.
INSTALLED = re.compile(r"^(python -m venv|source|pip install) .*\n", re.MULTILINE)


def blocks(text: str, language: str) -> list[str]:
    """Fenced code of a page."""
    return re.findall(rf"^ *```{language}\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)


def test_the_tutorial_works_as_it_is_written(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def bash(script: str) -> str:
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
