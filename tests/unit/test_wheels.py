"""Front ends inside wheels are unpacked below their folder, and never outside of it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from jupyterlite_browsergrad.site.wheels import is_plain_path, unpack_labextensions

SHARED = "x-1.0.data/data/share/jupyter/labextensions"


def wheel(folder: Path, *paths: str) -> Path:
    path = folder / "x-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in paths:
            archive.writestr(f"{SHARED}/{name}", name)
    return path


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The folder of labextensions in a site that contains other things too."""
    (tmp_path / "site" / "extensions" / "other").mkdir(parents=True)
    (tmp_path / "site" / "index.html").write_text("mine", "utf-8")
    (tmp_path / "site" / "extensions" / "other" / "package.json").write_text("mine", "utf-8")
    return tmp_path / "site" / "extensions"


def contents(site: Path) -> dict[str, str]:
    return {
        path.relative_to(site.parent).as_posix(): path.read_text("utf-8")
        for path in site.parent.rglob("*")
        if path.is_file()
    }


def test_front_ends_go_into_folders_of_their_names(tmp_path: Path, site: Path) -> None:
    path = wheel(tmp_path, "@a/one/package.json", "@a/one/static/x.js", "two/package.json", "none/x.js")
    before = contents(site)
    assert unpack_labextensions(path, site, lambda name: False) == ["@a/one", "two"]
    made = {f"extensions/{name}": name for name in ("@a/one/package.json", "@a/one/static/x.js", "two/package.json")}
    assert contents(site) == before | made


@pytest.mark.parametrize(
    "path",
    [
        "../package.json",
        "../../package.json",
        "@a/../package.json",
        "./package.json",
        "..\\package.json",
        "@a//package.json",
        "a/../../index.html",
        "@../../package.json",
    ],
)
def test_a_path_that_leads_out_is_refused_before_anything_is_removed(tmp_path: Path, site: Path, path: str) -> None:
    before = contents(site)
    with pytest.raises(ValueError, match="leads out of"):
        unpack_labextensions(wheel(tmp_path, "other/package.json", path), site, lambda name: False)
    assert contents(site) == before


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("a", True),
        ("@a/b.c", True),
        ("..", False),
        ("", False),
        ("/a", False),
        ("a/", False),
        ("a/..", False),
        ("a\0", False),
        ("...", True),
    ],
)
def test_plain_paths(path: str, plain: bool) -> None:
    assert is_plain_path(path) == plain
