"""Finds the built labextension."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from jupyter_core.paths import jupyter_path

from .constants import LABEXTENSION
from .errors import AssetsNotFoundError

__all__ = ["labextension", "static"]

HERE = Path(__file__).resolve().parent
MARKER = "static/kernel/manifest.json"


def _candidates() -> list[Path]:
    """List the places in order: the source tree, this distribution's files, Jupyter's data folders."""
    found = [HERE / "labextension"]
    try:
        files = distribution(LABEXTENSION).files or []
    except PackageNotFoundError:
        files = []
    found += [
        Path(str(file.locate())).resolve().parents[2]
        for file in files
        if file.as_posix().endswith(f"{LABEXTENSION}/{MARKER}")
    ]
    return found + [Path(folder) for folder in jupyter_path("labextensions", LABEXTENSION)]


def labextension() -> Path:
    """Return the folder that holds ``package.json`` and ``static/``.

    Raises
    ------
    AssetsNotFoundError
        It has not been built or installed.
    """
    candidates = _candidates()
    for folder in candidates:
        if (folder / MARKER).is_file():
            return folder
    looked = "\n".join(f"  {folder}" for folder in dict.fromkeys(candidates))
    raise AssetsNotFoundError(
        f"The built labextension was not found; looked in:\n{looked}\n"
        "In a source tree run: python scripts/build.py\n"
        f"Elsewhere install the wheel again: pip install --force-reinstall {LABEXTENSION}"
    )


def static(*parts: str) -> Path:
    """Return a file or folder in the labextension's ``static/``."""
    return labextension().joinpath("static", *parts)
