"""Finds wheels with shared libraries that their compiled modules need. Pyodide links those before the modules, so it loads such wheels itself."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

__all__ = ["has_shared_libraries", "needed_libraries"]

#: WebAssembly's magic number and version.
_HEADER = b"\0asm\1\0\0\0"
#: Name of the section that describes dynamic linking. It is the first one.
_SECTION = b"dylink.0"
#: Its part with the names of needed libraries.
_NEEDED = 2


class _Reader:
    """Reads numbers and names of WebAssembly's binary format."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data = data
        self.at = at

    def number(self) -> int:
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def name(self) -> bytes:
        length = self.number()
        self.at += length
        return self.data[self.at - length : self.at]


def needed_libraries(module: bytes) -> list[str]:
    """Return the names of the libraries that a compiled module needs. A file that is not such a module needs none."""
    if not module.startswith(_HEADER + b"\0"):
        return []
    reader = _Reader(module, len(_HEADER) + 1)
    try:
        return list(_needed(reader))
    except IndexError:
        return []  # a damaged file; an import says so


def _needed(reader: _Reader) -> Iterator[str]:
    size = reader.number()
    end = reader.at + size
    if reader.name() != _SECTION:
        return
    while reader.at < end:
        kind = reader.number()
        size = reader.number()
        after = reader.at + size
        if kind == _NEEDED:
            for _ in range(reader.number()):
                yield reader.name().decode("utf-8", "replace")
        reader.at = after


def has_shared_libraries(wheel: Path) -> bool:
    """Whether a compiled module of a wheel needs a library that the wheel itself contains."""
    with zipfile.ZipFile(wheel) as archive:
        compiled = [name for name in archive.namelist() if ".so" in PurePosixPath(name).name]
        names = {PurePosixPath(name).name for name in compiled}
        return any(names.intersection(needed_libraries(archive.read(name))) for name in compiled)
