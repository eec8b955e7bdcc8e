"""Reads the data of wheel files that a site needs."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..hashing import sha256_of

__all__ = ["Wheel", "piplite_index", "read_wheel", "unpack_labextensions"]

#: A file of a labextension inside a wheel. The group is its path below the folder of labextensions.
LABEXTENSION_FILE = re.compile(r"[^/]+\.data/data/share/jupyter/labextensions/(.+[^/])")
LABEXTENSION_ROOT = re.compile(r"(@[^/]+/)?[^/@]+/package\.json")
EXTENSION_SUFFIXES = (".py", ".so", ".pyc")


@dataclass(frozen=True)
class Wheel:
    """One wheel file. ``requires`` still has its markers; ``imports`` are top-level modules."""

    path: Path
    name: str
    version: str
    sha256: str
    size_bytes: int
    requires: tuple[Requirement, ...]
    requires_python: str | None
    imports: tuple[str, ...]

    def lock_entry(self, depends: list[str]) -> dict[str, Any]:
        """Return this wheel's entry for ``pyodide-lock.json``. The wheel lies beside that file."""
        return {
            "depends": depends,
            "file_name": self.path.name,
            "imports": list(self.imports),
            "install_dir": "site",
            "name": self.name,
            "package_type": "package",
            "sha256": self.sha256,
            "unvendored_tests": False,
            "version": self.version,
        }


def read_wheel(path: Path) -> Wheel:
    """Read a wheel's metadata and contents list. Raises `zipfile.BadZipFile` or `ValueError` for anything else."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        metadata_names = [name for name in names if name.count("/") == 1 and name.endswith(".dist-info/METADATA")]
        if len(metadata_names) != 1:
            raise ValueError(f"{path.name} has {len(metadata_names)} METADATA files, wanted one")
        metadata = HeaderParser().parsestr(archive.read(metadata_names[0]).decode("utf-8"))
    return Wheel(
        path=path,
        name=canonicalize_name(metadata["Name"]),
        version=metadata["Version"],
        sha256=sha256_of(path),
        size_bytes=path.stat().st_size,
        requires=tuple(Requirement(line) for line in metadata.get_all("Requires-Dist", [])),
        requires_python=metadata["Requires-Python"],
        imports=tuple(sorted(top_level_modules(names))),
    )


def top_level_modules(names: list[str]) -> set[str]:
    """Return the modules that a wheel with these members makes importable."""
    modules = set()
    for name in names:
        top, _, rest = name.partition("/")
        if not name.endswith(EXTENSION_SUFFIXES) or top.endswith((".dist-info", ".data", ".libs")):
            continue
        module = top if rest else top.split(".")[0]
        if module.isidentifier():
            modules.add(module)
    return modules


def piplite_index(wheels: list[Wheel]) -> dict[str, Any]:
    """Return piplite's ``all.json``: for each package, its releases in the form of PyPI's JSON API."""
    return {
        wheel.name: {
            "releases": {
                wheel.version: [
                    {
                        "comment_text": "",
                        "digests": {"sha256": wheel.sha256},
                        "filename": wheel.path.name,
                        "packagetype": "bdist_wheel",
                        "python_version": "py3",
                        "requires_python": wheel.requires_python,
                        "size": wheel.size_bytes,
                        "url": f"./{wheel.path.name}",
                        "yanked": False,
                        "yanked_reason": None,
                    }
                ]
            }
        }
        for wheel in sorted(wheels, key=lambda wheel: wheel.name)
    }


def is_plain_path(path: str) -> bool:
    """Tell whether a relative path with forward slashes stays below its folder, whatever is in that folder."""
    return "\\" not in path and "\0" not in path and not any(part in ("", ".", "..") for part in path.split("/"))


def unpack_labextensions(wheel: Path, target: Path, is_ignored: Callable[[str], bool]) -> list[str]:
    """Unpack the prebuilt labextensions of a wheel into folders of their names below ``target``, and return the names.

    They are data files of the wheel, for ``share/jupyter/labextensions`` of an environment.

    Raises
    ------
    ValueError
        A file would be outside `target`. Nothing has been removed or written then.
    """
    with zipfile.ZipFile(wheel) as archive:
        files = {
            found[1]: name
            for name in archive.namelist()
            if (found := LABEXTENSION_FILE.fullmatch(name)) and not is_ignored(name.rpartition("/")[2])
        }
        for path, member in files.items():
            if not is_plain_path(path):
                raise ValueError(f"{wheel.name} holds {member!r}, which leads out of the folder of labextensions")
        names = {path.removesuffix("/package.json") for path in files if LABEXTENSION_ROOT.fullmatch(path)}
        for name in names:
            shutil.rmtree(target / name, ignore_errors=True)
        for path, member in files.items():
            if not any(path.startswith(f"{name}/") for name in names):
                continue
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(archive.read(member))
    return sorted(names)
