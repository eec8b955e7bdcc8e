"""The built packs and standard library are what the worker expects."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
import zipfile

import pytest

from jupyterlite_browsergrad import paths

MANIFEST = json.loads(paths.static("kernel/manifest.json").read_text("utf-8"))
UNCHECKED_HASH = 0b01


def unpack(name: str) -> dict[str, bytes]:
    data = gzip.decompress(paths.static("kernel", MANIFEST["packs"][name]["file"]).read_bytes())
    (length,) = struct.unpack_from("<I", data)
    assert (4 + length) % 8 == 0
    files = json.loads(data[4 : 4 + length])["files"]
    start = 4 + length
    assert start + sum(size for *_, size in files) == len(data)
    return {path: data[start + offset : start + offset + size] for path, offset, size in files}


@pytest.mark.parametrize("name", MANIFEST["packs"])
def test_a_pack_is_the_file_the_manifest_describes(name):
    entry = MANIFEST["packs"][name]
    data = paths.static("kernel", entry["file"]).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    assert (digest, len(data)) == (entry["sha256"], entry["size"])
    assert entry["file"] == f"{name}.{digest[:8]}.pack.gz"


def test_no_other_pack_lies_about():
    assert {path.name for path in paths.static("kernel").glob("*.gz")} == {
        entry["file"] for entry in MANIFEST["packs"].values()
    }


def test_the_portable_pack_is_the_other_one_without_bytecode():
    portable, compiled = unpack("site"), unpack("site-cp314")
    assert {path: data for path, data in compiled.items() if not path.endswith(".pyc")} == portable
    sources = {path for path in portable if path.endswith(".py")}
    bytecode = {
        path.replace("__pycache__/", "").replace(".cpython-314.pyc", ".py")
        for path in compiled
        if path.endswith(".pyc")
    }
    assert bytecode == sources


def test_bytecode_is_never_checked_against_its_source():
    flags = {
        struct.unpack_from("<I", data, 4)[0] for path, data in unpack("site-cp314").items() if path.endswith(".pyc")
    }
    assert flags == {UNCHECKED_HASH}


def test_the_packs_hold_every_distribution_of_the_manifest_and_no_tests():
    names = [*unpack("site"), *unpack("jedi")]
    known = {path.split("/")[0] for path in names if path.endswith(".dist-info/METADATA")}
    described = {f"{name.replace('-', '_')}-{version}.dist-info" for name, version in MANIFEST["packages"].items()}
    assert {name.lower().replace("-", "_") for name in known} == {name.lower().replace("-", "_") for name in described}
    assert [path for path in names if "/tests/" in path and "third_party" not in path] == []
    assert {"browsergrad_kernel/main.py", "browsergrad/__init__.py", "piplite/__init__.py"} <= set(names)


def test_jedi_is_not_loaded_at_boot():
    assert [path for path in unpack("site") if path.startswith(("jedi/", "parso/"))] == []
    assert "jedi/__init__.py" in unpack("jedi")


def test_the_standard_library_has_bytecode_beside_its_sources():
    with zipfile.ZipFile(paths.static("pyodide/python_stdlib.zip")) as archive:
        names = set(archive.namelist())
        assert archive.testzip() is None
    sources = {name for name in names if name.endswith(".py")}
    assert {f"{name}c" for name in sources} <= names
    assert "json/__init__.pyc" in names


def test_the_embedded_lock_offers_no_package():
    lock = json.loads(paths.static("pyodide/pyodide-lock.json").read_text("utf-8"))
    assert lock["packages"] == {}
    assert lock["info"]["python"].startswith("3.14")
