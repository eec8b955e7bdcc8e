"""Gzip files in chunks are ordinary gzip files, and each chunk can be unpacked alone."""

from __future__ import annotations

import gzip
import random
import struct
import zlib

import pytest

from jupyterlite_browsergrad.boot import chunked_gzip
from jupyterlite_browsergrad.boot.chunked_gzip import CHUNK_BYTES, compress


def content(length: int) -> bytes:
    words = [f"word{number} ".encode() for number in range(1000)]
    return b"".join(random.Random(length).choices(words, k=length // 5 + 1))[:length]


@pytest.mark.parametrize(
    "length", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 70_000]
)
def test_any_gzip_reader_reads_it(length: int) -> None:
    assert gzip.decompress(compress(content(length), 9)) == content(length)


def test_the_same_content_gives_the_same_file() -> None:
    assert compress(content(CHUNK_BYTES * 2), 6) == compress(content(CHUNK_BYTES * 2), 6)


def test_each_chunk_is_complete_and_has_its_checksum() -> None:
    whole = content(3 * CHUNK_BYTES + 70_000)
    file = compress(whole, 9)
    assert file[12:14] == b"BG"
    (length,) = struct.unpack_from("<H", file, 14)
    chunk_bytes, *numbers = struct.unpack_from(f"<{length // 4}I", file, 16)
    at, found = 16 + length, []
    for packed, sum in zip(numbers[::2], numbers[1::2], strict=True):
        found.append(zlib.decompressobj(-zlib.MAX_WBITS).decompress(file[at : at + packed]))
        assert zlib.crc32(found[-1]) == sum
        at += packed
    assert [len(chunk) for chunk in found] == [chunk_bytes] * 3 + [70_000]
    assert b"".join(found) == whole


def test_content_with_too_many_chunks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunked_gzip, "CHUNK_BYTES", 1)
    with pytest.raises(ValueError, match="9000 bytes are too many for one file"):
        compress(b"x" * 9000, 1)
