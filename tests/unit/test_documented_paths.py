"""Paths and modules of the repository that texts name in backticks exist, and the layout table names every folder."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path, PurePosixPath

import pytest

REPO = Path(__file__).resolve().parents[2]
#: Folders that commands make. They need not exist when the tests run.
MADE = (
    "bench/out",
    "docs/_build",
    "docs/reference/runtime",
    "jupyterlite_browsergrad/labextension",
    "labextension/.assets",
    "labextension/lib",
)
#: A span of code without white space, between single or double backticks.
CODE = re.compile(r"(?<!`)(`{1,2})([^`\s]+)\1(?!`)")
MODULE = re.compile(r"(jupyterlite_browsergrad|browsergrad_kernel)(\.[a-z_]\w*)+")
PATH = re.compile(r"[\w.@-]+(/[\w.@*-]+)+")
#: Suffixes of our own sources. Texts show other paths as examples of a reader's own files.
SOURCES = {".mjs", ".py", ".ts", ".tsx", ".wat"}


def tracked() -> list[str]:
    """All files under version control."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=REPO, stdout=subprocess.PIPE, check=True)
    return [name for name in done.stdout.decode("utf-8").split("\0") if (REPO / name).is_file() and name]


FILES = tracked()
FOLDERS = {parent.as_posix() for name in FILES for parent in PurePosixPath(name).parents} - {"."}
TOP = {name for name in FOLDERS if "/" not in name}
#: The changelog is left out, since it describes earlier versions.
TEXTS = [name for name in FILES if name.endswith((".md", *SOURCES)) and name != "CHANGELOG.md"]
MARKDOWN = [name for name in FILES if name.endswith(".md")]


def exists(code: str) -> bool:
    """False if `code` looks like a path or a module of the repository but there is none."""
    if MODULE.fullmatch(code):
        return module_exists(code)
    path = code.removeprefix("./").rstrip("/")
    if not PATH.fullmatch(path) or path.startswith(MADE):
        return True
    first = path.partition("/")[0]
    if first in TOP and any(REPO.glob(path)):
        return True
    # A short form, such as `boot/make_snapshot.mjs`, begins with the name of some folder.
    if first not in TOP and not (
        PurePosixPath(path).suffix in SOURCES and any(PurePosixPath(folder).name == first for folder in FOLDERS)
    ):
        return True
    return any(f"/{name}".endswith(f"/{path}") for name in FILES)


def module_exists(code: str) -> bool:
    """Whether `code` is a module, or a name that occurs in one."""
    parts = code.split(".")
    base = "kernel_shim/" if parts[0] == "browsergrad_kernel" else ""
    for length in range(len(parts), 0, -1):
        path = base + "/".join(parts[:length])
        for file in (f"{path}.py", f"{path}/__init__.py"):
            if file in FILES:
                source = (REPO / file).read_text("utf-8")
                return length == len(parts) or re.search(rf"\b{parts[length]}\b", source) is not None
    return False


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("jupyterlite_browsergrad/cli.py", True),
        ("jupyterlite_browsergrad/site.py", False),
        ("boot/make_snapshot.mjs", True),
        ("boot/no_such_file.mjs", False),
        ("tests/unit/test_*.py", True),
        ("jupyterlite_browsergrad.errors.BrowsergradError", True),
        ("jupyterlite_browsergrad.site.no_such_module", False),
        ("docs/_build/html", True),
        ("course/search/starter.py", True),
        ("a/b", True),
    ],
)
def test_a_path_is_told_from_other_code(code: str, expected: bool) -> None:
    assert exists(code) == expected


def test_paths_and_modules_in_backticks_exist() -> None:
    found = {
        name: [code for _, code in CODE.findall((REPO / name).read_text("utf-8")) if not exists(code)]
        for name in TEXTS
        if REPO / name != Path(__file__)
    }
    assert {name: missing for name, missing in found.items() if missing} == {}


def test_links_to_files_lead_somewhere() -> None:
    missing = []
    for name in MARKDOWN:
        prose = re.sub(r"`[^`\n]*`", "", (REPO / name).read_text("utf-8"))
        for link in re.findall(r"\]\((?!https?:|#)([^)#\s]+)", prose):
            target = Path(os.path.normpath(REPO / name / ".." / link)).relative_to(REPO).as_posix()
            if target not in FILES and target not in FOLDERS and not target.startswith(MADE):
                missing.append(f"{name}: {link}")
    assert missing == []


def test_the_layout_table_names_every_folder() -> None:
    """Folders at the top, and the folders in them. Examples and sources may name deeper ones too."""
    table = (REPO / "CONTRIBUTING.md").read_text("utf-8").partition("## Layout")[2].partition("\n## ")[0]
    named = set(re.findall(r"`([^`]+)`", table))
    wanted = {name for name in FOLDERS if name.count("/") <= 1}
    assert sorted(wanted - named) == []
    assert sorted(name for name in named if "/" in name and not exists(name)) == []
