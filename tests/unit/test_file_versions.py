"""A site's settings name the versions of the runtime's first files, and the check finds those that have been changed since."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jupyterlite_browsergrad.hashing import sha256_of
from jupyterlite_browsergrad.site import file_versions

STATIC = "extensions/jupyterlite-browsergrad/static"
FILES = {
    "runtime": f"{STATIC}/runtime/index.js",
    "worker": f"{STATIC}/runtime/worker.js",
    "manifest": f"{STATIC}/kernel/manifest.json",
    "lock": f"{STATIC}/pyodide/pyodide-lock.json",
}


def settings_of(site: Path) -> dict[str, object]:
    config = json.loads((site / "jupyter-lite.json").read_text("utf-8"))
    settings: dict[str, object] = config["jupyter-config-data"]["litePluginSettings"]["jupyterlite-browsergrad:kernel"]
    return settings


@pytest.fixture(name="site")
def make_site(tmp_path):
    for name, file in FILES.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(name, "utf-8")
    return with_settings(tmp_path)


def with_settings(site: Path, **settings: str) -> Path:
    plugins = {"jupyterlite-browsergrad:kernel": {"disablePyPIFallback": True, **settings}}
    config = {"jupyter-config-data": {"litePluginSettings": plugins}}
    (site / "jupyter-lite.json").write_text(json.dumps(config), "utf-8")
    return site


def test_versions_begin_the_hashes_of_the_files(site):
    assert file_versions.write(site) == site / "jupyter-lite.json"
    assert settings_of(site) == {
        "disablePyPIFallback": True,
        "fileVersions": {name: sha256_of(site / file)[:16] for name, file in FILES.items()},
    }
    assert file_versions.write(site) is None, "nothing has changed"


def test_files_of_the_site_s_own_pyodide_come_from_its_folder(site):
    own = site / "static/browsergrad/pyodide/pyodide-lock.json"
    own.parent.mkdir(parents=True)
    own.write_text("own", "utf-8")
    with_settings(site, pyodideIndexURL="./static/browsergrad/pyodide/")
    file_versions.write(site)
    versions = settings_of(site)["fileVersions"]
    assert versions["lock"] == sha256_of(own)[:16]
    assert versions["manifest"] == sha256_of(site / FILES["manifest"])[:16]


@pytest.mark.parametrize("url", ["https://example.org/pyodide/", "/pyodide/", "//example.org/", "./none/", "./a/?b=/"])
def test_files_that_are_not_in_the_site_have_no_version(site, url):
    file_versions.write(with_settings(site, pyodideIndexURL=url))
    assert set(settings_of(site)["fileVersions"]) == {"runtime", "worker", "manifest"}


def test_the_check_names_files_that_have_been_changed(site):
    path = site / "jupyter-lite.json"
    assert list(file_versions.problems(site, path, settings_of(site))) == [], "a site of an earlier release"
    file_versions.write(site)
    assert list(file_versions.problems(site, path, settings_of(site))) == []
    (site / FILES["worker"]).write_text("changed", "utf-8")
    (found,) = file_versions.problems(site, path, settings_of(site))
    assert found == f"{site / FILES['worker']} is of another version than {path} says; build again"
