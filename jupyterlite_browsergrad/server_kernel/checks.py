"""Checks that a sandbox has sent a valid Jupyter message."""

from __future__ import annotations

from typing import Any

from .frames import FrameError

__all__ = ["checked_message", "checked_text"]

_CHANNELS = frozenset({"shell", "control", "iopub", "stdin"})
_FIELDS = ("header", "parent_header", "metadata", "content")


def checked_message(message: Any, buffers: list[bytes]) -> dict[str, Any]:
    """Return a message with only the fields that every message has.

    Raises
    ------
    FrameError
        The sandbox has sent something else.
    """
    if not isinstance(message, dict) or not all(isinstance(message.get(name), dict) for name in _FIELDS):
        raise FrameError("a message without the parts of one")
    channel, header, parent = message.get("channel"), message["header"], message["parent_header"]
    texts = (channel, header.get("msg_id"), header.get("msg_type"), parent.get("msg_id", ""))
    if not all(isinstance(text, str) for text in texts) or channel not in _CHANNELS:
        raise FrameError("a message whose header is not one")
    return {"channel": channel, **{name: message[name] for name in _FIELDS}, "buffers": buffers}


def checked_text(frame: dict[str, Any], name: str, most: int = 10_000) -> str:
    """Return a field that holds text, cut at `most` characters.

    Raises
    ------
    FrameError
        The field is not text.
    """
    text = frame.get(name)
    if not isinstance(text, str):
        raise FrameError(f"a frame of type {str(frame['type'])[:100]!r} whose {name} is not text")
    return text if len(text) <= most else f"{text[:most]}…"
