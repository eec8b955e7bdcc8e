"""Makes the files from which a Pyodide other than the embedded one starts: a compiled standard library, compiled packs, a snapshot."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..hashing import sha256_of
from .assets import (
    PYODIDE_FILES,
    STDLIB,
    Compiler,
    dump,
    precompile_stdlib,
    read_pack,
    with_bytecode,
    write_atomically,
    write_divided,
    write_pack,
    write_snapshot,
)
from .javascript import EngineError

__all__ = ["BootAssets", "make"]

#: Files of the kernel that its start does not read: sources, which tracebacks show, and modules that few cells need.
LATER = re.compile(
    r"\.py$|^(?:prompt_toolkit|wcwidth)/|^pygments/lexers/(?!(?:__pycache__/)?(?:__init__|_mapping|python)\.)"
)


@dataclass(frozen=True)
class BootAssets:
    """A folder with ``python_stdlib.zip``, to be published with the distribution, and ``kernel/``."""

    folder: Path
    #: Why there is no snapshot; None when there is one.
    problem: str | None

    @property
    def stdlib(self) -> Path:
        """The standard library with bytecode."""
        return self.folder / STDLIB

    @property
    def kernel(self) -> Path:
        """The kernel's folder: ``manifest.json``, and those of its files that differ from the embedded ones."""
        return self.folder / "kernel"


def make(source: Path, embedded: Path, reference: str, cache: Path) -> BootAssets:
    """Make the boot assets of a distribution, or return those that were made before.

    Parameters
    ----------
    source
        The distribution.
    embedded
        The labextension's ``static/kernel``.
    reference
        Address of `embedded` relative to the published folder, with a trailing slash.
    cache
        The folder in which they are made and kept.

    Raises
    ------
    EngineError
        There is no JavaScript engine, it cannot run this distribution, or the distribution is incomplete.
    """
    manifest = json.loads((embedded / "manifest.json").read_text("utf-8"))
    files = [source / name for name in (*PYODIDE_FILES, STDLIB) if (source / name).is_file()]
    made_of = [reference, manifest, *(sha256_of(file) for file in files)]
    key = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:16]
    target = cache / key
    if target.is_dir():
        return BootAssets(target, None)
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        partial = Path(folder, key)
        partial.mkdir()
        try:
            problem = _make(source, embedded, manifest, reference, partial, cache / "pyc")
        except (zipfile.BadZipFile, FileNotFoundError) as error:
            raise EngineError(f"{source}: {error}") from error
        # Assets without a snapshot get another name, so that the next build tries again.
        target = target if problem is None else cache / f"{key}.files"
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)
    return BootAssets(target, problem)


def _make(source: Path, embedded: Path, manifest: dict[str, Any], reference: str, out: Path, pyc: Path) -> str | None:
    """Fill `out`; return why it has no snapshot."""
    compiler = Compiler(source, pyc / sha256_of(source / STDLIB)[:16])
    write_atomically(out / STDLIB, precompile_stdlib(source / STDLIB, compiler))
    kernel = out / "kernel"
    kernel.mkdir()
    manifest.pop("snapshot", None)
    packs = manifest["packs"]
    name = f"site-cp{compiler.tag}"
    portable = embedded / packs["site"]["file"]
    compiled = embedded / packs[name]["file"] if name in packs else None
    for entry in packs.values():
        entry["file"] = reference + entry["file"]
    if compiled is None:
        files = read_pack(portable)
        if "micropip" in json.loads((source / "pyodide-lock.json").read_text("utf-8"))["packages"]:
            # Each micropip works only with the Pyodide that it belongs to, so the distribution's own is used.
            version = manifest["packages"].pop("micropip")
            files = {
                path: data for path, data in files.items() if not path.startswith(("micropip/", f"micropip-{version}."))
            }
        packs[name] = write_pack(kernel, name, with_bytecode(files, compiler))
        compiled = kernel / packs[name]["file"]
    problem = None
    try:
        with tempfile.TemporaryDirectory() as folder:
            published = Path(folder)
            for path in source.iterdir():
                if path.name.startswith("pyodide"):
                    shutil.copyfile(path, published / path.name)
            shutil.copyfile(out / STDLIB, published / STDLIB)
            manifest["snapshot"] = {**write_snapshot(kernel, published, compiled), "pack": name}
    except EngineError as error:
        problem = str(error)
        if compiled.parent == kernel:
            _divide(compiled, name, packs)
    write_atomically(kernel / "manifest.json", dump(manifest))
    return problem


def _divide(pack: Path, name: str, packs: dict[str, dict[str, Any]]) -> None:
    """Replace the kernel's pack by two, since Python will start from these files and needs a third of them."""
    files = read_pack(pack)
    later = {path: data for path, data in files.items() if LATER.search(path)}
    pack.unlink()
    now = {path: data for path, data in files.items() if path not in later}
    packs[name], packs[f"{name}.later"] = write_divided(pack.parent, name, now, later)
