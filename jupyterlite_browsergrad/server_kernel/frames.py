"""What crosses the pipes to Deno: ``[uint32 length of the JSON][uint32 length of the bytes][JSON][bytes]``.

The JSON is an object; its ``buffers`` lists how the bytes are cut. `labextension/src/server/frames.ts` is the other end.
"""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

HEAD = struct.Struct("<II")
#: Nothing longer is read: what comes from the sandbox is not to be trusted.
MOST_BYTES = 1 << 29


class FrameError(ValueError):
    """What came from the sandbox is no frame."""


def encode(frame: dict[str, Any], buffers: list[bytes] | None = None) -> bytes:
    """Return a frame's bytes."""
    parts = [bytes(buffer) for buffer in buffers or []]
    text = json.dumps({**frame, "buffers": [len(part) for part in parts]}, allow_nan=False).encode()
    rest = b"".join(parts)
    return HEAD.pack(len(text), len(rest)) + text + rest


def read(stream: BinaryIO) -> tuple[dict[str, Any], list[bytes]] | None:
    """Read a frame and its buffers; None at the stream's end.

    Raises
    ------
    FrameError
        The bytes are no frame.
    """
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    size, rest = HEAD.unpack(head)
    if size + rest > MOST_BYTES:
        raise FrameError(f"a frame of {size + rest} bytes; at most {MOST_BYTES} are read")
    data = stream.read(size + rest)
    if len(data) < size + rest:
        return None
    try:
        frame = json.loads(data[:size])
        lengths = frame["buffers"]
        if not isinstance(frame["type"], str) or sum(lengths) != rest or min(lengths, default=0) < 0:
            raise FrameError("a frame whose parts do not fit")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FrameError(f"bytes that are no frame: {error}") from error
    buffers = []
    for length in lengths:
        buffers.append(data[size : size + length])
        size += length
    return frame, buffers
