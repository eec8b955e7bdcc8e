"""Writes files whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = ["file_in_the_way", "replacing", "write_all"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to. The file there takes the place of `path` at the end; after an error it is removed."""
    fresh = path.with_name(path.name + ".new")
    try:
        yield fresh
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def write_all(files: Mapping[Path, bytes]) -> None:
    """Write files, and their folders. All are written beside their places first, so that after an error none of them has changed.

    Raises
    ------
    OSError
        One of them cannot be written; ``filename`` is its path.
    """
    fresh: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, "there is a folder of this name: remove or rename it", str(path))
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh[path] = path.with_name(path.name + ".new")
            fresh[path].write_bytes(content)
        for path, new in fresh.items():
            os.replace(new, path)
    finally:
        for new in fresh.values():
            new.unlink(missing_ok=True)


def file_in_the_way(folder: Path) -> Path | None:
    """The file that keeps a folder from being made: in its own place, or in that of a folder above it."""
    there = next((each for each in (folder, *folder.parents) if os.path.lexists(each)), None)
    return None if there is None or there.is_dir() else there
