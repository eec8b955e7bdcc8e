"""``jupyter lite check`` compares the packs of packages with the lock."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from jupyterlite_browsergrad.constants import KERNEL_PLUGIN, PYODIDE_INDEX_URL
from jupyterlite_browsergrad.site import verification


def test_a_pack_that_is_missing_or_changed_is_a_problem(tmp_path: Path) -> None:
    folder = tmp_path / "pyodide"
    (folder / "packs").mkdir(parents=True)
    for name in ("pyodide.mjs", "pyodide.asm.wasm", "a.whl", "packs/a.pack.gz", "packs/a.later.pack.gz"):
        (folder / name).write_bytes(name.encode())
    packs = {
        part: {"file": name, "sha256": hashlib.sha256(name.encode()).hexdigest()}
        for part, name in (("now", "packs/a.pack.gz"), ("later", "packs/a.later.pack.gz"))
    }
    entry = {"file_name": "a.whl", "sha256": hashlib.sha256(b"a.whl").hexdigest(), "depends": [], "packs": packs}
    (folder / "pyodide-lock.json").write_text(json.dumps({"info": {}, "packages": {"a": entry}}), "utf-8")
    config = tmp_path / "jupyter-lite.json"
    settings = {KERNEL_PLUGIN: {PYODIDE_INDEX_URL: "./pyodide/"}}
    config.write_text(json.dumps({"jupyter-config-data": {"litePluginSettings": settings}}), "utf-8")

    def found() -> list[str]:
        return [text for text in verification.problems(tmp_path, [config]) if "packs" in text]

    assert found() == []
    (folder / "packs/a.pack.gz").write_bytes(b"changed")
    (folder / "packs/a.later.pack.gz").unlink()
    assert [text.rpartition("packs/")[2] for text in found()] == [
        "a.pack.gz has another sha256 than its index says; build again",
        "a.later.pack.gz is missing",
    ]
