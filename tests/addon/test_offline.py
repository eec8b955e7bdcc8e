"""The list of a site's offline copy, as real builds write it and ``jupyter lite check`` verifies it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from test_site import Site

from jupyterlite_browsergrad import offline
from tests.wheels import make_wheel

PLUGIN = "jupyterlite-browsergrad:offline"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("offline"))
    make_wheel(site.source, "pure", "1.0")
    contents = site.source / "files"
    contents.mkdir()
    (contents / "data.csv").write_text("1,2\n", "utf-8")
    (contents / "drawing.map").write_text("a student's map", "utf-8")
    return site.build(offline_copy=True, packages=["pure-1.0-py3-none-any.whl"])


def listed(site: Site) -> dict[str, dict[str, Any]]:
    content = json.loads((site.output / offline.LIST).read_text("utf-8"))
    return {file["path"]: file for file in content["files"]}


def test_the_list_names_what_pages_ask_for(built: Site) -> None:
    files = listed(built)
    own = [name for name in files if name.startswith("static/browsergrad/pyodide/")]
    assert {"lab/index.html", "jupyter-lite.json", "api/contents/all.json", "files/data.csv", "files/drawing.map"} <= files.keys()
    assert any("pure-1.0" in name for name in own)
    assert not any(name.startswith("build/") and name.endswith(".map") for name in files)
    assert not {"service-worker.js", offline.LIST, ".jupyterlite.doit.db"} & files.keys()
    assert "extensions/jupyterlite-browsergrad/static/pyodide/pyodide.asm.wasm" not in files, "the site has its own"
    for name in ("lab/index.html", "files/data.csv"):
        data = (built.output / name).read_bytes()
        assert files[name] == {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert built.config["litePluginSettings"][PLUGIN] == {"offlineCopy": True}


def test_a_list_of_other_files_is_an_error(built: Site) -> None:
    built.lite("check")
    page = built.output / "lab/index.html"
    before = page.read_bytes()
    page.write_bytes(before + b"<!-- changed by hand -->")
    said = built.lite("check", expect=1)
    assert "offline.json is stale: lab/index.html changed" in said and "build again with `jupyter lite build`" in said
    page.write_bytes(before)
    (built.output / offline.LIST).write_text("{", "utf-8")
    assert "offline.json is missing or damaged" in built.lite("check", expect=1)
    built.lite("build")
    built.lite("check")


def test_a_build_without_the_setting_takes_everything_back(built: Site) -> None:
    worker = built.output / "service-worker.js"
    assert "offline-worker.js?v=" in worker.read_text("utf-8")
    again = worker.read_text("utf-8")
    built.lite("build")
    assert worker.read_text("utf-8") == again, "once more changes nothing"
    built.build()
    assert "importScripts" not in worker.read_text("utf-8")
    assert PLUGIN not in built.config["litePluginSettings"]
    assert not offline.is_installed(built.output)
    built.lite("check")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "service-worker.js",
        "lab/index.html",
        "build/a.0123456.js",
        "build/a.0123456.js.map",
        "build/a.0123456.js.LICENSE.txt",
        "build/a.0123456.js.br",
        "build/a.0123456.js.gz",
        "build/font.woff",
        "build/font.woff2",
        "build/MathJax.woff",
        "extensions/one/static/kernel/site.0123.pack.gz",
        "files/font.woff",
        "files/font.woff2",
        "files/.hidden",
        "lab/package.json",
        "SHA256SUMS",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, "utf-8")
    return tmp_path


def test_what_browsers_never_ask_for_is_left_out(folder: Path) -> None:
    assert list(offline.files.files_to_keep(folder)) == [
        "build/MathJax.woff",
        "build/a.0123456.js",
        "build/font.woff2",
        "extensions/one/static/kernel/site.0123.pack.gz",
        "files/.hidden",
        "files/font.woff",
        "files/font.woff2",
        "lab/index.html",
    ]


def test_the_version_follows_the_files_alone(folder: Path) -> None:
    first = offline.write_list(folder)
    assert offline.problems(folder) == []
    assert offline.write_list(folder)["version"] == first["version"]
    (folder / "lab/index.html").write_text("other", "utf-8")
    assert offline.write_list(folder)["version"] != first["version"]


def test_a_problem_names_a_few_files(folder: Path) -> None:
    offline.write_list(folder)
    for number in range(5):
        (folder / f"files/{number}").write_text("", "utf-8")
    (problem,) = offline.problems(folder)
    assert "files/0, files/1, files/2 and 2 more changed" in problem
