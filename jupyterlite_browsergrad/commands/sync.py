"""Copy the runtime, Pyodide and the kernel's files into a web project that is not a JupyterLite site.

Run it again after each upgrade. It copies files that have changed and removes files of earlier versions. Other files stay.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import shutil
from pathlib import Path

from .. import paths
from .._version import __version__
from ..constants import RELEASE_LOCK
from ..errors import ConfigurationError

__all__ = ["PARTS", "configure", "run", "sync"]

#: Folders of the labextension's ``static/``: what a page imports, Pyodide, and the kernel's Python side.
PARTS = ("runtime", "pyodide", "kernel")
#: File in each folder that lists the copied files.
LIST = ".browsergrad-files.json"


def sync(target: Path, parts: tuple[str, ...] = PARTS) -> int:
    """Copy each of `parts` into the folder of that name in `target`.

    Returns
    -------
    int
        How many files were written. Files that are the same already are not.

    Raises
    ------
    ConfigurationError
        A file or folder cannot be written.
    """
    written = 0
    for part in parts:
        source, folder = paths.static(part), target / part
        try:
            folder.mkdir(parents=True, exist_ok=True)
            files = (path for path in source.rglob("*") if path.is_file() and path.name != RELEASE_LOCK)
            names = sorted(path.relative_to(source).as_posix() for path in files)
            for name in names:
                copy = folder / name
                if copy.is_file() and filecmp.cmp(source / name, copy, shallow=False):
                    continue
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source / name, copy)
                written += 1
            for name in set(_listed(folder)) - set(names):
                (folder / name).unlink(missing_ok=True)
            (folder / LIST).write_text(json.dumps(names, indent=1) + "\n", "utf-8")
        except OSError as error:
            raise ConfigurationError(f"{folder}: cannot be written: {error}") from error
    return written


def _listed(folder: Path) -> list[str]:
    """Return the names that an earlier run has listed, without names that lead out of the folder."""
    try:
        names = json.loads((folder / LIST).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    texts = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return [name for name in texts if ".." not in Path(name).parts and not Path(name).is_absolute()]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of the project, such as public/browsergrad")
    parser.add_argument(
        "--only",
        action="append",
        choices=PARTS,
        help="copy only this folder; may be given more than once. A bundler imports runtime/; the page fetches pyodide/ and kernel/",
    )


def run(options: argparse.Namespace) -> int:
    """Copy the files, and print what was done."""
    parts = tuple(part for part in PARTS if part in (options.only or PARTS))
    written = sync(options.folder, parts)
    print(
        f"{options.folder}: {', '.join(f'{part}/' for part in parts)} of version {__version__}, files written: {written}"
    )
    return 0
