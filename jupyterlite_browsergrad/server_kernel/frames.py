"""What crosses the pipes to Deno: ``[uint32 length of the JSON][uint32 length of the bytes][JSON][bytes]``.

The JSON is an object; its ``buffers`` lists how the bytes are cut. `labextension/src/server/frames.ts` is the other end. What comes
from there is not to be trusted: user code can reach the pipe, so every length has a limit that is checked before anything is read.
"""

from __future__ import annotations

import json
import struct
import threading
from typing import IO, Any

__all__ = ["FrameError", "encode", "pieces", "read"]

HEAD = struct.Struct("<II")
#: Longest frame, whatever the limits of a sandbox are.
MOST_BYTES = 1 << 29
#: Most buffers of one message.
MOST_BUFFERS = 10_000
#: JSON longer than this is parsed for one sandbox at a time: parsed, it takes many times its length.
_LONG_BYTES = 1 << 20

_parsing = threading.Lock()


class FrameError(ValueError):
    """What came from the sandbox is not a frame."""


def pieces(frame: dict[str, Any], buffers: list[bytes] | None = None) -> list[bytes]:
    """Return a frame's bytes in pieces: nothing long is copied."""
    parts = buffers or []
    text = json.dumps({**frame, "buffers": [len(part) for part in parts]}, allow_nan=False).encode()
    return [HEAD.pack(len(text), sum(map(len, parts))) + text, *parts]


def encode(frame: dict[str, Any], buffers: list[bytes] | None = None) -> bytes:
    """Return a frame's bytes."""
    return b"".join(pieces(frame, buffers))


def read(
    stream: IO[bytes], most_text: int = MOST_BYTES, most_bytes: int = MOST_BYTES
) -> tuple[dict[str, Any], list[bytes]] | None:
    """Read a frame and its buffers; None at the stream's end. ``frame["size"]`` is how many bytes both had.

    Parameters
    ----------
    stream
        Where it comes from.
    most_text, most_bytes
        Longest JSON and longest buffers that are read.

    Raises
    ------
    FrameError
        The bytes are not a frame, or one that is too long.
    """
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    size, rest = HEAD.unpack(head)
    if size > most_text or rest > most_bytes or size + rest > MOST_BYTES:
        raise FrameError(f"a frame of {size:,} and {rest:,} bytes; at most {most_text:,} and {most_bytes:,} are read")
    text = stream.read(size)
    if len(text) < size:
        return None
    frame = _parse(text)
    lengths = frame.get("buffers")
    if not isinstance(frame.get("type"), str) or not isinstance(lengths, list) or len(lengths) > MOST_BUFFERS:
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
    """The same with question marks for halves of characters: JSON can spell them, but no front end takes them."""
    text = json.dumps(frame, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.loads(text.encode("utf-8", "replace"))
    return frame
