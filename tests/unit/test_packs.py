"""The built packs and the standard library are in the form that the worker expects."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import shutil
import struct
import zipfile
from pathlib import Path

import pytest

from jupyterlite_browsergrad import paths
from jupyterlite_browsergrad.boot.assets import files_of
from tests.zstd import unpack_zstd

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
    assert {path.name for path in paths.static("kernel").glob("*.*.*")} == {
        entry["file"] for entry in files_of(MANIFEST)
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
    assert {"browsergrad_kernel/startup.py", "browsergrad/__init__.py", "piplite/__init__.py"} <= set(names)


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


def test_the_snapshot_is_bound_to_all_it_was_made_from():
    entry = MANIFEST["snapshot"]
    data = paths.static("kernel", entry["file"]).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    assert (digest, len(data)) == (entry["sha256"], entry["size"])
    assert entry["file"] == f"snapshot.{digest[:8]}.bin"
    for name, expected in entry["pyodide"].items():
        assert hashlib.sha256(paths.static("pyodide", name).read_bytes()).hexdigest() == expected, name
    raw = unpack_zstd(data)
    magic, length = struct.unpack_from("<4sI", raw)
    header = json.loads(raw[8 : 8 + length])
    omitted = header["omitted"]
    assert magic == b"BGS3"
    assert sum(size for _, size in header["runs"]) + omitted["links"] + omitted["hashes"] == len(raw) - 8 - length
    pack = unpack(entry["pack"])
    assert [path for path, *_ in header["site"]] == list(pack)


def test_small_copies_hold_the_very_files_of_the_distribution():
    core = MANIFEST["snapshot"]["core"]
    found = {name: paths.static("kernel", entry["file"]).read_bytes() for name, entry in core.items()}
    for name, entry in core.items():
        assert hashlib.sha256(found[name]).hexdigest() == entry["sha256"]
    scripts = json.loads(unpack_zstd(found["scripts"]))
    assert scripts == {
        name: paths.static("pyodide", name).read_text("utf-8") for name in ("pyodide.mjs", "pyodide.asm.mjs")
    }


def test_the_smaller_forms_hold_the_same_in_a_tenth_less():
    snapshot = MANIFEST["snapshot"]
    for entry in (snapshot, snapshot["core"]["wasm"]):
        smaller = entry["smaller"]
        data = paths.static("kernel", smaller["file"]).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (smaller["sha256"], smaller["size"])
        assert hashlib.sha256(lzma.decompress(data)).hexdigest() == entry["contents_sha256"]
        assert smaller["format"] == "xz" and smaller["size"] <= 0.92 * entry["size"]


def test_the_snapshot_leaves_out_what_the_webassembly_holds():
    entry = MANIFEST["snapshot"]
    raw = unpack_zstd(paths.static("kernel", entry["file"]).read_bytes())
    (length,) = struct.unpack_from("<I", raw, 4)
    header = json.loads(raw[8 : 8 + length])
    kept = sum(size for _, size in header["kept"])
    assert kept > 3_000_000
    # No byte of the memory is in two of them.
    ends = 0
    for offset, size in sorted(header["kept"] + header["runs"]):
        assert offset >= ends
        ends = offset + size
    assert ends <= header["heap"]


def test_the_snapshot_leaves_out_what_a_kernel_computes():
    entry = MANIFEST["snapshot"]
    raw = unpack_zstd(paths.static("kernel", entry["file"]).read_bytes())
    (length,) = struct.unpack_from("<I", raw, 4)
    omitted = json.loads(raw[8 : 8 + length])["omitted"]
    # Of 40,000 objects, 30,000 strings, and one index.
    assert omitted["links"] > 30_000 and omitted["hashes"] > 20_000 and len(omitted["tables"]) == 1


def test_what_a_first_cell_needs_is_at_most_6_1_mb():
    snapshot = MANIFEST["snapshot"]
    core = snapshot["core"]
    sizes = {entry["file"]: entry["size"] for entry in (snapshot, core["wasm"], core["scripts"])}
    assert sum(sizes.values()) <= 6_100_000, f"{sizes} (made with --shim-only? That compresses quickly and not well)"


def test_a_full_distribution_of_the_embedded_version_gets_the_precompiled_standard_library(tmp_path):
    """The snapshot belongs to that library. A distribution of another build keeps its own."""
    from jupyterlite_browsergrad.site.distribution import with_our_stdlib

    source, kernel = tmp_path / "source", tmp_path / "kernel"
    shutil.copytree(paths.static("pyodide"), source)
    kernel.mkdir()
    manifest = json.loads(paths.static("kernel", "manifest.json").read_text("utf-8"))
    (source / "python_stdlib.zip").write_bytes(b"as released")
    manifest["snapshot"]["stdlib_source"] = hashlib.sha256(b"as released").hexdigest()
    (kernel / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    ours = paths.static("pyodide")
    assert with_our_stdlib(source, ours, kernel) == {Path("python_stdlib.zip"): ours / "python_stdlib.zip"}
    (source / "python_stdlib.zip").write_bytes(b"changed")
    assert with_our_stdlib(source, ours, kernel) == {}
    assert with_our_stdlib(ours, ours, kernel) != {}
    (source / "python_stdlib.zip").write_bytes(b"as released")
    (source / "pyodide.asm.mjs").write_bytes(b"another build")
    assert with_our_stdlib(source, ours, kernel) == {}
    del manifest["snapshot"]
    (kernel / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    assert with_our_stdlib(ours, ours, kernel) == {}
