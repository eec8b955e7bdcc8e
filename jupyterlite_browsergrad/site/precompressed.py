"""Compressed copies beside a site's files: which files may have them, and which copies are current."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["ENCODINGS", "is_compressible", "siblings"]

#: Name of an encoding in `Accept-Encoding` -> suffix of the copies. The best comes first.
ENCODINGS = {"br": ".br", "gzip": ".gz"}
SUFFIXES = frozenset(
    [".css", ".html", ".js", ".json", ".map", ".md", ".mjs", ".svg", ".txt", ".wasm", ".webmanifest", ".xml"]
)
#: Folder of the site's contents. It gets no copies, since these could have the name of one of the author's own files.
CONTENTS = "files"


def is_compressible(relative: Path) -> bool:
    """Tell whether a file of a site may have compressed copies beside it."""
    return relative.parts[0] != CONTENTS and relative.suffix.lower() in SUFFIXES


def siblings(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the encodings in which a file has a current copy, best first, each with the copy."""
    changed = path.stat().st_mtime_ns
    for encoding, suffix in ENCODINGS.items():
        copy = path.with_name(path.name + suffix)
        if copy.is_file() and copy.stat().st_mtime_ns >= changed:
            yield encoding, copy
