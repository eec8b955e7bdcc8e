"""Compressed copies beside a site's files: which files may have them, and which are current."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["ENCODINGS", "is_compressible", "siblings"]

#: What `Accept-Encoding` calls it -> the suffix, best first.
ENCODINGS = {"br": ".br", "gzip": ".gz"}
SUFFIXES = frozenset(
    [".css", ".html", ".js", ".json", ".map", ".md", ".mjs", ".svg", ".txt", ".wasm", ".webmanifest", ".xml"]
)
#: The site's contents: what a visitor's file is called there is its author's affair.
CONTENTS = "files"


def is_compressible(relative: Path) -> bool:
    """Tell whether a file of a site may have compressed copies beside it."""
    return relative.parts[0] != CONTENTS and relative.suffix.lower() in SUFFIXES


def siblings(path: Path) -> Iterator[tuple[str, Path]]:
    """Yield the encodings a file has a current copy in, best first, and the copies."""
    changed = path.stat().st_mtime_ns
    for encoding, suffix in ENCODINGS.items():
        copy = path.with_name(path.name + suffix)
        if copy.is_file() and copy.stat().st_mtime_ns >= changed:
            yield encoding, copy
