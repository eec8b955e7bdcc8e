"""Jupyter messages, built and cleaned.

Source: "Messaging in Jupyter", section "General Message Format".
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import uuid
from datetime import UTC, datetime
from typing import Any

from ._host import host

#: Version of the messaging specification this kernel speaks.
PROTOCOL_VERSION = "5.4"
USERNAME = "browsergrad"

_PNG, _JPEG, _PDF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"%PDF"


def clean(value: Any, depth: int = 0) -> Any:
    """Make `value` fit JSON: numbers that JSON lacks become strings, bytes become base64.

    Anything else that JSON can't hold becomes its ``str``.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value if not isinstance(value, int) or isinstance(value, bool) else int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if depth > 200:
        return "<nested too deeply>"
    if isinstance(value, dict):
        return {str(key): clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)) or hasattr(value, "__next__"):
        return [clean(item, depth + 1) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def encode_images(data: dict[str, Any]) -> dict[str, Any]:
    """Binary images of a MIME bundle as base64, as front ends expect them."""
    return {
        mime: base64.b64encode(value).decode("ascii")
        if isinstance(value, bytes) and value.startswith((_PNG, _JPEG, _PDF, b"GIF8", b"RIFF"))
        else value
        for mime, value in data.items()
    }


def is_base64(text: str) -> bool:
    """Whether `text` is base64 of the standard alphabet."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def header(msg_type: str, session: str) -> dict[str, Any]:
    """A new message header."""
    return {
        "msg_id": uuid.uuid4().hex,
        "msg_type": msg_type,
        "session": session,
        "username": USERNAME,
        "date": datetime.now(UTC).isoformat(),
        "version": PROTOCOL_VERSION,
    }


def encode(message: dict[str, Any]) -> str:
    """`message` as JSON, cleaned where it has to be; lone surrogates are escaped."""
    try:
        text = json.dumps(message, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        text = json.dumps(clean(message), allow_nan=False)
    return text


def send(
    channel: str,
    msg_type: str,
    content: dict[str, Any],
    parent: dict[str, Any],
    session: str,
    metadata: dict[str, Any] | None = None,
    buffers: list[Any] | None = None,
) -> None:
    """Publish one message.

    Parameters
    ----------
    parent
        Header of the request this belongs to; ``{}`` for none.
    session
        Used where the parent names none: front ends route replies by the parent's session.
    """
    host.publish(
        encode(
            {
                "channel": channel,
                "header": header(msg_type, parent.get("session") or session),
                "parent_header": parent,
                "metadata": metadata or {},
                "content": content,
            }
        ),
        [bytes(buffer) for buffer in buffers] if buffers else None,
    )
