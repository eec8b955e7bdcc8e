"""Copy the runtime, Pyodide and the kernel's files into a web project that is not a JupyterLite site.

Run it again after each upgrade: what has changed is copied, what belongs to an earlier version is removed, other files stay.
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

#: Folders of the labextension's ``static/``: what a page imports, where Python starts from, and Python's side of the kernel.
PARTS = ("runtime", "pyodide", "kernel")
#: Lists what an earlier run has copied into a part.
LIST = ".browsergrad-files.json"


def sync(target: Path, parts: tuple[str, ...] = PARTS) -> int:
    """Copy `parts` into folders of `target` with their names.

    Returns
    -------
    int
        How many files were written; those that are the same already are left alone.

    Raises
    ------
    ConfigurationError
        Something in the target's place cannot be written to.
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
    """Return the names an earlier run has noted; nothing that leads out of the folder."""
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
        help="copy this folder only; may be given more than once. runtime/ is what a bundler imports, pyodide/ and kernel/ are fetched by the page",
    )


def run(options: argparse.Namespace) -> int:
    """Copy, and say what was done."""
    parts = tuple(part for part in PARTS if part in (options.only or PARTS))
    written = sync(options.folder, parts)
    print(
        f"{options.folder}: {', '.join(f'{part}/' for part in parts)} of version {__version__}, files written: {written}"
    )
    return 0
