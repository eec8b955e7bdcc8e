"""Compresses with Zstandard, if this Python can."""

from __future__ import annotations

import importlib

__all__ = ["LEVEL", "PACK_LEVEL", "QUICK_LEVEL", "compress"]

#: Level that compresses best without needing more memory to unpack than `WINDOW_LOG` says.
LEVEL = 19
#: Takes a twentieth of the time for 10 % more bytes, which are still a third fewer than with gzip.
PACK_LEVEL = 12
QUICK_LEVEL = 3
#: Binary logarithm of how far back repeated bytes are found. Browsers keep so many bytes while they unpack.
WINDOW_LOG = 23


def compress(content: bytes, level: int = LEVEL) -> bytes | None:
    """Return the content as a file with a checksum; None if neither Python nor the package ``zstandard`` can write one."""
    try:
        zstd = importlib.import_module("compression.zstd")  # since Python 3.14
    except ImportError:
        try:
            zstandard = importlib.import_module("zstandard")
        except ImportError:
            return None
        parameters = zstandard.ZstdCompressionParameters.from_level(
            level, source_size=len(content), window_log=WINDOW_LOG, write_checksum=True
        )
        packed: bytes = zstandard.ZstdCompressor(compression_params=parameters).compress(content)
        return packed
    parameter = zstd.CompressionParameter
    options = {
        parameter.compression_level: level,
        parameter.window_log: WINDOW_LOG,
        parameter.checksum_flag: True,
    }
    packed = zstd.compress(content, options=options)
    return packed
