"""Gzip files of which a reader can unpack a part without unpacking what comes before it.

The content is compressed in chunks of equal length. Each is complete in itself: a full flush ends it. An extra field of the header
(RFC 1952, section 2.3.1.1) says where the chunks begin. All programs that read gzip read these files too. The format dictzip does the same,
with smaller chunks, which compress less well.

The field's id is ``BG``. Its data are little-endian uint32 numbers: the length of a chunk's content, and for each chunk its length in the
file and the CRC-32 of its content.
"""

from __future__ import annotations

import struct
import zlib

__all__ = ["CHUNK_BYTES", "compress"]

#: Bytes of content in a chunk. Shorter chunks unpack sooner and make larger files: half of this adds about 1 %.
CHUNK_BYTES = 256 << 10
#: Magic number, method "deflate", flag "extra field", no time, "slowest compression", unknown system.
_HEADER = b"\x1f\x8b\x08\x04\0\0\0\0\x02\xff"
_MAX_FIELD_BYTES = 0xFFFF - 4


def compress(content: bytes, level: int) -> bytes:
    """Return the content as a gzip file in chunks. The same content and level always give the same file.

    Parameters
    ----------
    content
        At most 2 GiB.
    level
        From 0, none, to 9, as small as possible.

    Raises
    ------
    ValueError
        The content is so long that the field cannot hold all chunks.
    """
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    chunks, numbers = [], [CHUNK_BYTES]
    for start in range(0, len(content), CHUNK_BYTES):
        chunk = content[start : start + CHUNK_BYTES]
        packed = packer.compress(chunk) + packer.flush(zlib.Z_FULL_FLUSH)
        chunks.append(packed)
        numbers += [len(packed), zlib.crc32(chunk)]
    table = struct.pack(f"<{len(numbers)}I", *numbers)
    if len(table) > _MAX_FIELD_BYTES:
        raise ValueError(f"{len(content)} bytes are too many for one file")
    field = struct.pack("<H2sH", len(table) + 4, b"BG", len(table)) + table
    trailer = struct.pack("<II", zlib.crc32(content), len(content) & 0xFFFFFFFF)
    return b"".join([_HEADER, field, *chunks, packer.flush(), trailer])
