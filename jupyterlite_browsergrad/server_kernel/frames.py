"""Frames on the pipes to and from Deno: ``[uint32 length of the JSON][uint32 length of the bytes][JSON][bytes]``.

The JSON is an object. Its ``buffers`` lists the lengths of the parts of the bytes. `labextension/src/server/frames.ts` is the other end.
Frames from Deno cannot be trusted, since user code can write to the pipe. So every length has a limit, which is checked before anything
is read.
"""

from __future__ import annotations

import json
import struct
import threading
from typing import IO, Any

__all__ = ["FrameError", "encode", "pieces", "read"]

HEAD = struct.Struct("<II")
#: Longest frame in bytes, even if the limits of a sandbox are higher.
MAX_BYTES = 1 << 29
#: Greatest number of buffers of one message.
MAX_BUFFERS = 10_000
#: Longer JSON is parsed for only one sandbox at a time, since parsing takes many times its length in memory.
_LONG_BYTES = 1 << 20

_parsing = threading.Lock()


class FrameError(ValueError):
    """The sandbox sent something that is not a frame."""


def pieces(frame: dict[str, Any], buffers: list[bytes] | None = None) -> list[bytes]:
    """Return a frame's bytes in pieces, so that long ones are not copied."""
    parts = buffers or []
    text = json.dumps({**frame, "buffers": [len(part) for part in parts]}, allow_nan=False).encode()
    return [HEAD.pack(len(text), sum(map(len, parts))) + text, *parts]


def encode(frame: dict[str, Any], buffers: list[bytes] | None = None) -> bytes:
    """Return a frame's bytes."""
    return b"".join(pieces(frame, buffers))


def read(
    stream: IO[bytes], most_text: int = MAX_BYTES, most_bytes: int = MAX_BYTES
) -> tuple[dict[str, Any], list[bytes]] | None:
    """Read a frame and its buffers; None at the end of the stream. ``frame["size"]`` is the number of bytes of both.

    Parameters
    ----------
    stream
        The pipe.
    most_text, most_bytes
        Longest JSON, and longest buffers in total, that are read.

    Raises
    ------
    FrameError
        The bytes are not a frame, or the frame is too long.
    """
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    size, rest = HEAD.unpack(head)
    if size > most_text or rest > most_bytes or size + rest > MAX_BYTES:
        raise FrameError(f"a frame of {size:,} and {rest:,} bytes; at most {most_text:,} and {most_bytes:,} are read")
    text = stream.read(size)
    if len(text) < size:
        return None
    frame = _parse(text)
    lengths = frame.get("buffers")
    if not isinstance(frame.get("type"), str) or not isinstance(lengths, list) or len(lengths) > MAX_BUFFERS:
        raise FrameError("a frame whose parts do not fit")
    if any(type(length) is not int or length < 0 for length in lengths) or sum(lengths) != rest:
        raise FrameError("a frame whose parts do not fit")
    buffers = [stream.read(length) for length in lengths]
    if sum(map(len, buffers)) < rest:
        return None
    frame["size"] = HEAD.size + size + rest
    return frame, buffers


def _parse(text: bytes) -> dict[str, Any]:
    try:
        if len(text) > _LONG_BYTES:
            with _parsing:
                frame = json.loads(text, parse_constant=_refuse)
        else:
            frame = json.loads(text, parse_constant=_refuse)
        if b"\\ud" in text or b"\\uD" in text:
            frame = _encodable(frame)
    except (ValueError, TypeError, RecursionError) as error:
        raise FrameError(f"bytes that are not a frame: {error}") from error
    if not isinstance(frame, dict):
        raise FrameError("a frame that is not an object")
    return frame


def _refuse(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def _encodable(frame: Any) -> Any:
    """`frame` with question marks in place of lone surrogates. JSON can express those, but no front end accepts them."""
    text = json.dumps(frame, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode("utf-8", "replace"))
    return frame
