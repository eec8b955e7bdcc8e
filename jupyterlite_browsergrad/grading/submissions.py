"""What students hand in: notebooks and Python files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..errors import GradingError
from ..labs import SKIPPED

__all__ = ["SUFFIXES", "Submission", "Unreadable", "cells_of", "find_submissions"]

SUFFIXES = (".ipynb", ".py")


class Unreadable(ValueError):
    """A submission that is no notebook and no Python file."""


@dataclass(frozen=True)
class Submission:
    """One file; `name` is its path as it was given, with forward slashes, `sha256` in hexadecimal digits."""

    path: Path
    sha256: str

    @property
    def name(self) -> str:
        return self.path.as_posix()


def find_submissions(paths: Iterable[Path]) -> list[Submission]:
    """Find the files; in folders those that end in `SUFFIXES`, hidden ones and checkpoints left out.

    Raises
    ------
    GradingError
        A path that is no file and no folder, or nothing was found.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found = (each for each in sorted(path.rglob("*")) if each.suffix in SUFFIXES and each.is_file())
            files |= {
                each: None
                for each in found
                if not any(part in SKIPPED or part.startswith(".") for part in each.relative_to(path).parts)
            }
        elif path.is_file():
            files[path] = None
        else:
            raise GradingError(f"there is no file or folder {path}")
    if not files:
        raise GradingError("no submissions: give notebooks, Python files, or folders that hold some")
    return [Submission(path, hashlib.sha256(_read(path)).hexdigest()) for path in files]


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise GradingError(f"{path} cannot be read: {error.strerror}") from error


def cells_of(name: str, content: bytes) -> list[str]:
    """Return the code of a submission, cell by cell; a Python file is one cell.

    Raises
    ------
    Unreadable
        Says why.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"it is no UTF-8 text: {error}") from error
    if not name.endswith(".ipynb"):
        return [text]
    try:
        notebook = json.loads(text)
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        return [source if isinstance(source := cell["source"], str) else "".join(source) for cell in cells]
    except RecursionError as error:
        raise Unreadable("it is no notebook: it is nested too deeply") from error
    except (ValueError, LookupError, TypeError) as error:
        raise Unreadable(f"it is no notebook of format 4: {type(error).__name__}: {error}") from error
