"""Packs wheels, when a site is built, into the form from which the worker loads them fast.

A wheel becomes two packs (`boot.assets`). The first one holds what an import reads: bytecode, compiled modules, data. The other one holds what is
read seldom, above all the sources, which tracebacks show. The wheel stays on the site, for `%pip` and for whoever does not know the packs.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..boot.assets import STDLIB, Compiler, Files, dump, pyc_path, write_atomically, write_divided
from ..boot.javascript import EngineError
from ..hashing import sha256_of
from .font_cache import MATPLOTLIB, make_font_cache

__all__ = ["LATER", "LEFT_OUT", "PACKS", "Packer", "divide"]

#: Folder of the packs, beside the lock.
PACKS = "packs"
#: Counts changes of this module's output, so that caches of earlier versions are not used.
FORMAT = 3
#: Files that nothing in a browser reads: what C compilers need, and front ends, which the build publishes elsewhere.
LEFT_OUT = re.compile(r"\.(?:a|lib|pxd|pyx|pxi)$|/include/.*\.(?:h|hpp)$|^/share/jupyter/")
#: Files that are read seldom. They come with the sources.
LATER = re.compile(
    r"(?:^|/)(?:tests?|licenses|sample_data|__pycache__)/"
    r"|^(?:tzdata|pytz)/zoneinfo/(?!UTC$|__init__\.py$)"  # pandas reads UTC when it is imported
    r"|/mpl-data/(?:images|fonts/afm|fonts/pdfcorefonts|fonts/ttf/(?!DejaVuSans(?:-Bold)?\.ttf))"
    r"|^(?:fontTools|numpy/f2py|matplotlib/(?:sphinxext|testing)|mpl_toolkits/axisartist)/"
    r"|/backends/web_backend/"
    r"|/_(?:umath|rational|struct_ufunc|operand_flag)_tests\.[^/]*\.so$"  # an import of NumPy reads _multiarray_tests
    r"|\.(?:pyi|md|rst|h|hpp|c|cpp|f90?)$"
    r"|\.dist-info/(?:RECORD|LICENSE|COPYING|NOTICE|AUTHORS)[^/]*$"
)
#: Sources that are read when they are imported: pyparsing asks for the lines of its own stack.
READ_AT_ONCE = frozenset({"pyparsing/core.py"})
#: A data file of a wheel. The group is its path below Python's prefix, which is the root here.
DATA_FILE = re.compile(r"[^/]+\.data/data(/.+)")
#: Metadata that a wheel gets when it is installed: who installed it, and Pyodide's note where it came from.
INSTALLED = {"INSTALLER": b"jupyterlite-browsergrad\n", "PYODIDE_SOURCE": b"pyodide"}


def divide(files: Files, compiled: dict[str, bytes], tag: str) -> tuple[Files, Files]:
    """Divide the files of a wheel between the two packs.

    Parameters
    ----------
    files
        The wheel.
    compiled
        Path of a source -> its bytecode.
    tag
        Python's version, as it appears in the names of files with bytecode.
    """
    now: Files = {}
    later: Files = {}
    for name, data in files.items():
        if LEFT_OUT.search(name):
            continue
        seldom = LATER.search(name) is not None
        if name in compiled:
            (later if seldom else now)[pyc_path(name, tag)] = compiled[name]
            (now if name in READ_AT_ONCE else later)[name] = data
        else:
            (later if seldom else now)[name] = data
    for name in [name for name in files if name.endswith(".dist-info/METADATA")]:
        folder = name.rpartition("/")[0]
        now |= {f"{folder}/{file}": text for file, text in INSTALLED.items()}
    for name in [name for name in later if name.endswith(".dist-info/RECORD")]:
        later[name] = _record(later[name], {*now, *later})
    return now, later


def _record(record: bytes, there: set[str]) -> bytes:
    """Return the list of installed files without those that are left out."""
    rows = [row for row in csv.reader(io.StringIO(record.decode("utf-8"))) if row and row[0] in there]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


class Packer:
    """Makes the packs of wheels for a distribution's Python, and remembers them.

    Parameters
    ----------
    distribution
        Its Python compiles the sources.
    cache
        The folder for the packs.
    bytecode
        The folder in which compiled sources of all distributions are kept.
    kernel_pack
        The kernel's pack without bytecode.
    warn
        Takes a line about something that does not work, and without which the site works.
    """

    def __init__(self, distribution: Path, cache: Path, bytecode: Path, kernel_pack: Path, warn: Callable[[str], None]):
        self._distribution = distribution
        self._kernel_pack = kernel_pack
        self._warn = warn
        self._cache = cache
        python = sha256_of(distribution / STDLIB)[:16]
        self._compiler = Compiler(distribution, bytecode / python)
        self._made_with = f"{FORMAT} {python}"
        self._folders: dict[Path, Path] = {}

    def pack(self, wheels: dict[str, Path]) -> dict[str, dict[str, Any]]:
        """Return for each package the field ``packs`` of its entry in the lock: file names, sizes and sums. `path` has the files.

        Raises
        ------
        EngineError
            There is no JavaScript engine to run the compiler in.
        """
        missing = {name: path for name, path in wheels.items() if not (self._folder(path) / "entry.json").is_file()}
        if missing:
            self._make(missing, wheels)
        return {
            name: json.loads((self._folder(path) / "entry.json").read_text("utf-8")) for name, path in wheels.items()
        }

    def files(self, wheels: dict[str, Path]) -> dict[Path, Path]:
        """Return the packs of wheels: path beside the lock -> file."""
        return {
            Path(PACKS, file.name): file
            for path in wheels.values()
            for file in sorted(self._folder(path).iterdir())
            if file.suffix in (".bin", ".gz")
        }

    def _folder(self, wheel: Path) -> Path:
        """Return the folder of a wheel's packs. Its name depends on the wheel's content, which is read once."""
        if wheel not in self._folders:
            key = hashlib.sha256(f"{self._made_with} {sha256_of(wheel)}".encode()).hexdigest()
            self._folders[wheel] = self._cache / key[:24]
        return self._folders[wheel]

    def _make(self, missing: dict[str, Path], wheels: dict[str, Path]) -> None:
        contents = {name: _read(path) for name, path in missing.items()}
        prefix = self._compiler.site_packages
        sources = {
            f"{prefix}/{name}": data
            for files in contents.values()
            for name, data in files.items()
            if name.endswith(".py") and not LEFT_OUT.search(name)
        }
        bytecode = self._compiler.compile(sources)  # all at once, since Python has to start for it
        if MATPLOTLIB in missing:
            contents[MATPLOTLIB] |= self._font_cache(wheels)
        for package, files in contents.items():
            compiled = {name: bytecode[f"{prefix}/{name}"] for name in files if f"{prefix}/{name}" in bytecode}
            self._write(wheels[package], *divide(files, compiled, self._compiler.tag))

    def _font_cache(self, wheels: dict[str, Path]) -> Files:
        try:
            return make_font_cache(self._distribution, wheels, self._kernel_pack)
        except EngineError as error:
            self._warn(f"matplotlib's list of fonts is not made ahead, the first figure takes longer: {error}")
            return {}

    def _write(self, wheel: Path, now: Files, later: Files) -> None:
        target = self._folder(wheel)
        title = "-".join(wheel.name.split("-")[:2])
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._cache) as folder:
            made = Path(folder, "packs")
            made.mkdir()
            packs = dict(zip(("now", "later"), write_divided(made, title, now, later), strict=True))
            for entry in packs.values():
                entry["file"] = f"{PACKS}/{entry['file']}"
            write_atomically(made / "entry.json", dump(packs))
            shutil.rmtree(target, ignore_errors=True)
            made.rename(target)


def _read(wheel: Path) -> Files:
    """Return a wheel's files by their paths in site-packages. Paths of data files begin with a slash."""
    with zipfile.ZipFile(wheel) as archive:
        return {
            data[1] if (data := DATA_FILE.fullmatch(info.filename)) else info.filename: archive.read(info)
            for info in archive.infolist()
            if not info.is_dir()
        }
