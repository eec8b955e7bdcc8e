"""The list of a site's offline copy, as real builds write it and ``jupyter lite check`` verifies it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from test_site import Site

from jupyterlite_browsergrad import isolation, offline
from jupyterlite_browsergrad.constants import KERNEL_PLUGIN, KERNEL_URL, LABEXTENSION, SITE_KERNEL
from jupyterlite_browsergrad.errors import SiteError
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
    assert {
        "lab/index.html",
        "jupyter-lite.json",
        "api/contents/all.json",
        "files/data.csv",
        "files/drawing.map",
    } <= files.keys()
    assert any("pure-1.0" in name for name in own)
    assert not any(name.startswith("build/") and name.endswith(".map") for name in files)
    assert not {"service-worker.js", offline.LIST, ".jupyterlite.doit.db"} & files.keys()
    assert "extensions/jupyterlite-browsergrad/static/pyodide/pyodide.asm.wasm" not in files, "the site has its own"
    for name in ("lab/index.html", "files/data.csv"):
        data = (built.output / name).read_bytes()
        assert files[name] == {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert built.config["litePluginSettings"][PLUGIN] == {"offlineCopy": True}


def test_a_list_of_other_files_is_an_error(built: Site) -> None:
    page = built.output / "lab/index.html"
    page.write_bytes(page.read_bytes() + b"<!-- changed by hand -->")
    said = built.lite("check", expect=1)
    assert "offline.json is stale: lab/index.html changed" in said and "build again with `jupyter lite build`" in said


def test_a_build_without_the_setting_takes_everything_back(built: Site) -> None:
    worker = built.output / "service-worker.js"
    assert "offline-worker.js?v=" in worker.read_text("utf-8")
    built.build()
    assert "offline-worker.js" not in worker.read_text("utf-8")
    assert PLUGIN not in built.config["litePluginSettings"]
    assert not offline.is_installed(built.output)


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
    assert list(offline.kept_files.files_to_keep(folder)) == [
        "build/MathJax.woff",
        "build/a.0123456.js",
        "build/font.woff2",
        "extensions/one/static/kernel/site.0123.pack.gz",
        "files/.hidden",
        "files/font.woff",
        "files/font.woff2",
        "lab/index.html",
    ]


def test_packs_of_the_embedded_kernel_are_kept_if_the_sites_own_kernel_names_them(folder: Path) -> None:
    embedded = f"extensions/{LABEXTENSION}/static/kernel"
    packs = {name: {"file": f"../../../{embedded}/{name}.pack.gz"} for name in ("site", "jedi")}
    settings = {"litePluginSettings": {KERNEL_PLUGIN: {KERNEL_URL: f"./{SITE_KERNEL}/"}}}
    for name, content in {
        "jupyter-lite.json": json.dumps({"jupyter-config-data": settings}),
        f"{SITE_KERNEL}/manifest.json": json.dumps({"packs": packs}),
        **{f"{embedded}/{name}.pack.gz": "" for name in (*packs, "unused")},
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, "utf-8")
    kept = [name for name in offline.kept_files.files_to_keep(folder) if "kernel" in name and LABEXTENSION in name]
    assert kept == [f"{embedded}/jedi.pack.gz", f"{embedded}/site.pack.gz"]


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


def test_a_damaged_list_is_a_problem(folder: Path) -> None:
    offline.write_list(folder)
    (folder / offline.LIST).write_text("{", "utf-8")
    (problem,) = offline.problems(folder)
    assert "offline.json is missing or damaged: build again" in problem


def test_scripts_of_the_service_worker_are_in_one_order(folder: Path) -> None:
    manifest = folder / "manifest.webmanifest"
    manifest.write_text(json.dumps({"shortcuts": [{"url": "/lab"}, {"url": "./repl"}]}), "utf-8")
    worker = folder / "service-worker.js"
    before = worker.read_text("utf-8")
    isolation.install(folder)
    offline.install(folder)
    both = worker.read_text("utf-8")
    assert both.index("isolating-worker") < both.index("offline-worker") < both.index(before)
    offline.install(folder)
    isolation.install(folder)
    assert worker.read_text("utf-8") == both, "once more changes nothing"
    assert [each["url"] for each in json.loads(manifest.read_text("utf-8"))["shortcuts"]] == ["./lab", "./repl"]
    isolation.remove(folder)
    assert "offline-worker" in worker.read_text("utf-8")
    isolation.install(folder)
    assert worker.read_text("utf-8") == both, "in either order"
    isolation.remove(folder)
    offline.remove(folder)
    assert worker.read_text("utf-8") == before


def test_the_service_worker_of_jupyterlite_is_needed(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"offline_copy needs the service worker of JupyterLite"):
        offline.install(tmp_path)
