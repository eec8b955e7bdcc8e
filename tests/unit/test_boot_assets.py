"""The files that kernels start from are made the same each time, in either engine, and only if there is one."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from jupyterlite_browsergrad import paths
from jupyterlite_browsergrad.boot import assets, javascript, zstd
from jupyterlite_browsergrad.boot.assets import Compiler
from tests.zstd import unpack_zstd

MANIFEST = json.loads(paths.static("kernel/manifest.json").read_text("utf-8"))


def test_the_snapshot_has_the_same_bytes_whenever_it_is_made(tmp_path: Path) -> None:
    made = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        pack = paths.static("kernel", MANIFEST["packs"][MANIFEST["snapshot"]["pack"]]["file"])
        javascript.run("make_snapshot.mjs", paths.static("pyodide"), pack, folder)
        made.append((folder / "snapshot.bin").read_bytes())
    assert made[0] == made[1]
    assert made[0] == unpack_zstd(paths.static("kernel", MANIFEST["snapshot"]["file"]).read_bytes())


def test_what_is_to_be_small_is_gzip_where_nothing_writes_zstandard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"small " * 1000
    monkeypatch.setattr(zstd.importlib, "import_module", _no_module)
    entry = assets._write_small(tmp_path, "wasm", content, level=assets.zstd.QUICK_LEVEL)
    assert "format" not in entry
    assert gzip.decompress((tmp_path / entry["file"]).read_bytes()) == content
    monkeypatch.undo()
    entry = assets._write_small(tmp_path, "wasm", content, level=assets.zstd.QUICK_LEVEL)
    assert entry["format"] == "zstd"
    assert unpack_zstd((tmp_path / entry["file"]).read_bytes()) == content


def _no_module(name: str) -> None:
    raise ImportError(name)


def test_deno_compiles_as_node_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {"/lib/a.py": b"def f(x):\n    return {'a': x, 'b': (1, 2)}\n", "/lib/b.py": b"this is no Python"}
    in_node = Compiler(paths.static("pyodide"), tmp_path / "node").compile(sources)
    without_node(monkeypatch)
    in_deno = Compiler(paths.static("pyodide"), tmp_path / "deno").compile(sources)
    assert list(in_node) == ["/lib/a.py"]
    assert in_deno == in_node


def test_without_an_engine_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    without_node(monkeypatch)
    assert javascript.is_there()
    monkeypatch.setattr(javascript, "deno", lambda: None)
    assert not javascript.is_there()
    with pytest.raises(javascript.EngineError, match=r"pip install .*\[build\]"):
        javascript.run("compile_pyc.mjs")


def test_a_script_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(javascript.EngineError, match=r"pyodide\.mjs"):
        javascript.run("compile_pyc.mjs", tmp_path, tmp_path)


def without_node(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(javascript, "node_on_path", lambda: None)
    monkeypatch.setattr(javascript, "node_of_wheel", lambda: None)
