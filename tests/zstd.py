"""Reads Zstandard files, which the boot assets are."""

from __future__ import annotations

import zstandard


def unpack_zstd(data: bytes) -> bytes:
    """Return the content of a whole file."""
    return zstandard.ZstdDecompressor().decompress(data)
