"""Makes matplotlib's list of fonts when a site is built. Without it, every kernel would make it anew, for a second or more."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ..boot import javascript
from ..boot.assets import PYODIDE_FILES, STDLIB
from ..constants import PYODIDE_LOCK
from ..hashing import sha256_of

__all__ = ["MATPLOTLIB", "make_font_cache"]

MATPLOTLIB = "matplotlib"
#: Pyodide's core, of which each version has some.
CORE = (*PYODIDE_FILES, "pyodide.asm.js", STDLIB)


def make_font_cache(distribution: Path, wheels: dict[str, Path], kernel_pack: Path) -> dict[str, bytes]:
    """Return the list of fonts by the path at which matplotlib looks for it: relative to site-packages, or absolute.

    Parameters
    ----------
    distribution
        Has Pyodide's core and its lock.
    wheels
        Name -> file of matplotlib and everything that it needs, except for what is in the kernel's pack.
    kernel_pack
        The kernel's pack without bytecode.

    Raises
    ------
    EngineError
        There is no JavaScript engine, or matplotlib cannot be imported.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as job:
        published = Path(folder)
        for name in CORE:
            if (distribution / name).is_file():
                shutil.copyfile(distribution / name, published / name)
        for path in wheels.values():
            shutil.copyfile(path, published / path.name)
        lock = json.loads((distribution / PYODIDE_LOCK).read_text("utf-8"))
        entries = {name: _entry(name, path) for name, path in wheels.items()}
        (published / PYODIDE_LOCK).write_text(json.dumps({"info": lock["info"], "packages": entries}), "utf-8")
        javascript.run("make_font_cache.mjs", published, kernel_pack, job)
        lists: dict[str, str] = json.loads(Path(job, "lists.json").read_text("utf-8"))
        return {path: text.encode() for path, text in lists.items()}


def _entry(name: str, wheel: Path) -> dict[str, Any]:
    """Return an entry of the lock for a wheel. It names no dependencies, since all wheels are loaded."""
    return {
        "depends": [],
        "file_name": wheel.name,
        "imports": [],
        "install_dir": "site",
        "name": name,
        "package_type": "package",
        "sha256": sha256_of(wheel),
        "unvendored_tests": False,
        "version": wheel.name.split("-")[1],
    }
