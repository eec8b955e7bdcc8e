"""Builds Jupyter messages and passes them to the host.

Source: "Messaging in Jupyter", section "General Message Format".
"""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from ._host import host
from .jsonutil import dumps, encode_images, json_clean

__all__ = ["PROTOCOL_VERSION", "build", "clean", "encode_images", "now", "post", "send"]

#: Version of the messaging specification that this kernel implements.
PROTOCOL_VERSION = "5.4"
USERNAME = "browsergrad"

clean = json_clean

_prefix = uuid.uuid4().hex
_numbers = itertools.count(1)
_quoted = lru_cache(256)(dumps)
#: The parent header that was encoded last, and its JSON. Consecutive messages mostly have the same one.
_parent: tuple[Any, str] = (None, "{}")
#: Messages that are sent together with the next one, each followed by a line feed. A call of the host costs more than building a message.
_ahead = ""


def renew() -> None:
    """Start a new series of message ids, with a new prefix."""
    global _prefix, _numbers, _parent, _ahead
    _prefix, _numbers, _parent, _ahead = uuid.uuid4().hex, itertools.count(1), (None, "{}"), ""


def now() -> str:
    """The current time in UTC, in the format of messages."""
    return datetime.now(UTC).isoformat()


def build(
    channel: str,
    msg_type: str,
    content: dict[str, Any],
    parent: dict[str, Any],
    session: str,
    metadata: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """One message as a dict, for hooks that see it before `post` sends it."""
    msg_id = f"{_prefix}_{next(_numbers)}"
    return {
        "channel": channel,
        "msg_id": msg_id,
        "msg_type": msg_type,
        "header": {
            "msg_id": msg_id,
            "msg_type": msg_type,
            "session": parent.get("session") or session,
            "username": USERNAME,
            "date": now(),
            "version": PROTOCOL_VERSION,
        },
        "parent_header": parent,
        "metadata": metadata or {},
        "content": content,
    }


def post(message: dict[str, Any], buffers: list[Any] | None = None) -> None:
    """Publish a message made by `build`."""
    parts = ("channel", "header", "parent_header", "metadata", "content")
    _publish(dumps({part: message[part] for part in parts}), buffers)


def send(
    channel: str,
    msg_type: str,
    content: dict[str, Any],
    parent: dict[str, Any],
    session: str,
    metadata: dict[str, Any] | None = None,
    buffers: list[Any] | None = None,
    *,
    ahead: bool = False,
) -> None:
    """Publish one message.

    Parameters
    ----------
    parent
        Header of the request to which the message belongs; ``{}`` for none.
    session
        Used if `parent` has no session. Front ends route replies by the session of the request.
    ahead
        Whether the message may wait and be sent together with the next one. The next one must follow before user code runs.
        Such a message has no `buffers`.

    Raises
    ------
    TypeError, ValueError
        JSON cannot hold `content` or `metadata`.
    """
    global _parent, _ahead
    if _parent[0] is not parent:
        _parent = (parent, dumps(parent))
    text = (
        f'{{"channel":"{channel}","header":{{"msg_id":"{_prefix}_{next(_numbers)}",'
        f'"msg_type":{_quoted(msg_type)},"session":{_quoted(str(parent.get("session") or session))},'
        f'"username":"{USERNAME}","date":"{now()}","version":"{PROTOCOL_VERSION}"}},'
        f'"parent_header":{_parent[1]},"metadata":{dumps(metadata) if metadata else "{}"},'
        f'"content":{dumps(content)}}}'
    )
    if ahead:
        _ahead += text + "\n"
    else:
        _publish(text, buffers)


def waiting() -> bool:
    """Whether a message is waiting to be sent with the next one."""
    return bool(_ahead)


def _publish(text: str, buffers: list[Any] | None) -> None:
    global _ahead
    text, _ahead = _ahead + text, ""
    host.publish(text, _copies(buffers))


def _copies(buffers: list[Any] | None) -> list[bytes] | None:
    if not buffers:
        return None
    return [item if isinstance(item, bytes) else memoryview(item).tobytes() for item in buffers]
