"""All places that repeat a version agree, and no file names an address to download from."""

from __future__ import annotations

import importlib.util
import json
import re
import runpy
import subprocess
import zipfile
from email.parser import HeaderParser
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import jupyterlite_browsergrad
from jupyterlite_browsergrad import PYODIDE_VERSION, __version__, paths
from jupyterlite_browsergrad.site.vendoring import Target

REPO = Path(__file__).resolve().parents[2]
PACKAGE = json.loads((REPO / "labextension/package.json").read_text("utf-8"))
LOCK = json.loads((REPO / "labextension/package-lock.json").read_text("utf-8"))
LABS_VERSION = (REPO / "labextension/src/labs/version.ts").read_text("utf-8")


def test_the_version_is_the_same_everywhere():
    browsergrad = runpy.run_path(str(REPO / "kernel_shim/browsergrad/_version.py"))
    built = json.loads((paths.labextension() / "package.json").read_text("utf-8"))
    manifest = json.loads(paths.static("kernel/manifest.json").read_text("utf-8"))
    found = {
        "distribution": version("jupyterlite-browsergrad"),
        "package": jupyterlite_browsergrad.__version__,
        "package.json": PACKAGE["version"],
        "package-lock.json": LOCK["version"],
        "package-lock.json, root package": LOCK["packages"][""]["version"],
        "browsergrad": browsergrad["__version__"],
        "version that labs are checked against": re.search(r"RUNTIME_VERSION = .(.+).;", LABS_VERSION)[1],
        "built package.json": built["version"],
        "kernel manifest": manifest["version"],
        "browsergrad in the packs": manifest["packages"]["browsergrad"],
    }
    assert found == dict.fromkeys(found, __version__)


def test_the_version_of_pyodide_is_the_same_everywhere():
    manifest = json.loads(paths.static("kernel/manifest.json").read_text("utf-8"))
    found = {
        "package.json": PACKAGE["dependencies"]["pyodide"],
        "package-lock.json": LOCK["packages"]["node_modules/pyodide"]["version"],
        "kernel manifest": manifest["pyodide"],
    }
    assert found == dict.fromkeys(found, PYODIDE_VERSION)


def test_the_changelog_has_a_section_for_this_version():
    assert f"## [{__version__}]" in (REPO / "CHANGELOG.md").read_text("utf-8")


def complete_lock() -> Any:
    spec = importlib.util.spec_from_file_location("complete_lock", REPO / "scripts/complete_lock.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_npm_lock_is_known_to_the_script_that_completes_them():
    listed = subprocess.run(
        ["git", "ls-files", "*package-lock.json"], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert sorted(listed.stdout.split()) == sorted(path.relative_to(REPO).as_posix() for path in complete_lock().LOCKS)


@pytest.mark.parametrize("path", complete_lock().LOCKS, ids=lambda path: path.parent.name)
def test_an_npm_lock_names_no_download_address_but_keeps_the_hashes(path):
    lock = json.loads(path.read_text("utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name and not entry.get("link")}
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    # Optional packages of other platforms may have been added without an address (scripts/complete_lock.py).
    needed = {name: entry for name, entry in packages.items() if not (entry.get("optional") and "cpu" in entry)}
    assert [name for name, entry in needed.items() if "integrity" not in entry and not entry.get("inBundle")] == []


@pytest.mark.parametrize("path", complete_lock().LOCKS, ids=lambda path: path.parent.name)
def test_an_npm_lock_knows_every_optional_package_so_that_npm_ci_takes_it(path):
    assert complete_lock().complete(json.loads(path.read_text("utf-8"))) == [], "run: python scripts/complete_lock.py"


def test_every_wheel_in_the_packs_is_pinned_exactly_with_a_hash():
    lines = (REPO / "scripts/packs.txt").read_text("utf-8").splitlines()
    pin = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]* --hash=sha256:[0-9a-f]{64}")
    assert [line for line in lines if not line.startswith("#") and not pin.fullmatch(line)] == []


def test_the_wheels_in_the_packs_satisfy_one_another():
    info = json.loads(paths.static("pyodide/pyodide-lock.json").read_text("utf-8"))
    markers = Target.of(info).markers
    provided = json.loads(paths.static("kernel/manifest.json").read_text("utf-8"))["packages"]
    unmet = []
    for wheel in (REPO / "labextension/.assets/wheels").glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
            metadata = HeaderParser().parsestr(archive.read(name).decode())
        if provided.get(canonicalize_name(metadata["Name"])) != metadata["Version"]:
            continue
        for requirement in map(Requirement, metadata.get_all("Requires-Dist", [])):
            if requirement.marker is None or requirement.marker.evaluate(markers):
                present = provided.get(canonicalize_name(requirement.name))
                if present is None or not requirement.specifier.contains(present):
                    unmet.append(f"{wheel.name}: {requirement}")
    assert unmet == []
